import pytest

from tenants.parsers import MAX_NAMES, MAX_VALUES, NotTaken, parse


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 30 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": 1, "a": 2}',
        b"[" * 21 + b"]" * 21,
        b"[" * 100_000,
    ],
)
def test_refuses_what_is_not_proper_json(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse(body)


def test_reads_json() -> None:
    assert parse('{"a": [1, 2.5, null, true, "ä"]}'.encode()) == {"a": [1, 2.5, None, True, "ä"]}


def wide(names: int) -> bytes:
    return ("{" + ",".join(f'"n{n}":1' for n in range(names)) + "}").encode()


@pytest.mark.parametrize(
    "body, sentence",
    [
        (b"[" + b"9" * 30 + b"]", "^a number too large to be represented"),
        (wide(MAX_NAMES + 1), "an object with 1001 names; at most 1000 are taken"),
        (b"[" + b",".join([wide(MAX_NAMES)] * 26) + b"]", "more than 50000 values"),
        (b"[" + b",".join([b"1"] * MAX_VALUES) + b"]", "more than 50000 values"),
        (b"[" + b",".join([b"[]"] * MAX_VALUES) + b"]", "more than 50000 values"),
        (b'{"' + b"x" * 100_000 + b'": 1, "' + b"x" * 100_000 + b'": 1}', "the name 'xxxx"),
    ],
)
def test_what_is_wide_is_refused_in_few_words(body: bytes, sentence: str) -> None:
    with pytest.raises(NotTaken, match=sentence) as raised:
        parse(body)
    assert len(str(raised.value)) < 200


def test_as_wide_as_is_taken() -> None:
    assert len(parse(wide(MAX_NAMES))) == MAX_NAMES
    assert len(parse(b"[" + b",".join([b"1"] * (MAX_VALUES - 1)) + b"]")) == MAX_VALUES - 1
