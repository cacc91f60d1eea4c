"""XML in one pass: what is refused, and whose errors are whose."""

import pytest

from simulations.sumo.inputs.xmlscan import XmlError, scan


def refuse(name: str, attributes: dict[str, str]) -> None:
    raise ValueError(f"<{name}> is odd")


@pytest.mark.parametrize("encoding", ["klingon", "shift_jis"])
def test_an_encoding_that_cannot_be_read(encoding: str) -> None:
    with pytest.raises(XmlError, match="in an encoding that cannot be read"):
        scan([f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()], refuse, limit=1000)


def test_what_the_reader_of_an_element_raises_is_no_trouble_with_the_encoding() -> None:
    with pytest.raises(ValueError, match="<a> is odd"):
        scan([b"<a/>"], refuse, limit=1000)
