"""Followed lines as plain text, or as server-sent events whose ids are positions in the log."""

from collections.abc import Callable

from clusterops.api.log_reader import Kind, LogLine

Form = Callable[[list[LogLine]], str]
ENDED = "end"  # the id of the last event of all: who sends it back has nothing more to come


def plain(readable: Callable[[str], str]) -> Form:
    """`readable` puts the log's text into another form, line by line."""
    return lambda lines: readable("".join(line.text for line in lines))


def events(readable: Callable[[str], str]) -> Form:
    """The same for `Accept: text/event-stream`."""

    def form(lines: list[LogLine]) -> str:
        return "".join(_event(line, readable(line.text.rstrip("\r\n"))) for line in lines)

    return form


def _event(line: LogLine, text: str) -> str:
    if line.kind is Kind.LIFE:
        return f": {text}\n\n"
    head = ""
    if line.kind is Kind.END:
        head = f"id: {ENDED}\n"
    elif line.position:
        head = f"id: {line.position}\n"
    if line.kind is not Kind.LINE:
        head += f"event: {line.kind.value}\n"
        text = text.removeprefix("# ")
    # What ends a line for SSE beyond the line break itself, such as a lone carriage return, would end the field.
    data = "".join(f"data: {part}\n" for part in text.replace("\r", "\n").split("\n"))
    return f"{head}{data}\n"
