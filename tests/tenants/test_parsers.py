import pytest

from tenants.parsers import parse


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
