"""XML from strangers, read in one bounded pass: no DTD, no entities, no tree in memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

MAX_DEPTH = 100
# The parser holds an unfinished tag in memory and starts it anew with every chunk; beyond this a file is hostile.
MAX_TAG_BYTES = 4 * 1024**2
CHUNK = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"

StartHandler = Callable[[str, dict[str, str]], None]


class XmlError(Exception):
    """Why a file is not XML that we read, as the end of a sentence ("… is not well-formed (line 3, column 7)")."""


def gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a file that may be gzip, told by its content and not by its name, in pieces of at most CHUNK.

    Raises XmlError if it is gzip but damaged or cut.
    """
    source = iter(chunks)
    head = b""
    while len(head) < len(GZIP_MAGIC) and (more := next(source, b"")):
        head += more
    if not head.startswith(GZIP_MAGIC):
        yield from filter(None, (head,))
        yield from source
        return
    unzip = zlib.decompressobj(wbits=31)
    pending = head
    while True:
        try:
            piece = unzip.decompress(pending, CHUNK)
        except zlib.error as error:
            raise XmlError("is damaged gzip") from error
        if piece:
            yield piece
        pending = unzip.unconsumed_tail
        if unzip.eof:
            pending = unzip.unused_data
            if not pending.strip(b"\0") and not (pending := next(source, b"")).strip(b"\0"):
                return
            unzip = zlib.decompressobj(wbits=31)
        elif not pending and not piece and not (pending := next(source, b"")):
            raise XmlError("is cut gzip")


def scan(
    chunks: Iterable[bytes], on_start: StartHandler, *, on_text: Callable[[str], None] | None = None, limit: int
) -> bool:
    """Call `on_start(name, attributes)` for every element of at most `limit` bytes, in the order of the file.

    Returns whether the whole file was read. Raises XmlError for what is not well-formed in the part that was read,
    for any DTD (so no entity is ever declared), for nesting below MAX_DEPTH and for endless tags; what `on_start`
    raises passes through.
    """
    parser = expat.ParserCreate()
    depth = 0
    begun = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, begun
        depth += 1
        begun = True
        if depth > MAX_DEPTH:
            raise XmlError(f"nests elements more than {MAX_DEPTH} deep (line {parser.CurrentLineNumber})")
        on_start(name, attributes)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise XmlError("holds a document type declaration (DTD), which is not allowed")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    if on_text is not None:
        parser.buffer_text = True  # else a call for every line
        parser.CharacterDataHandler = on_text
    read = 0
    try:
        for chunk in chunks:
            if read + len(chunk) > limit:
                return False
            read += len(chunk)
            parser.Parse(chunk, False)
            if read - parser.CurrentByteIndex > MAX_TAG_BYTES:
                raise XmlError(f"holds a tag of more than {MAX_TAG_BYTES // 1024**2} MiB")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise XmlError(f"is not well-formed XML: {expat.ErrorString(error.code)} ({place})") from error
    except (LookupError, ValueError) as error:
        if begun:  # what `on_start` makes of an element
            raise
        # an encoding that Python does not know, which stands before all elements
        raise XmlError("is in an encoding that cannot be read; save it as UTF-8") from error
    return True
