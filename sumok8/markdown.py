"""The part of Markdown that our own guides are written in, as HTML. Not for other people's texts."""

import re
from collections.abc import Callable
from html import escape

INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*|(?<![\w*])\*(?P<em>[^*\s][^*]*)\*(?!\w)|\[(?P<text>[^\]]+)\]\((?P<url>[^)\s]+)\)"
)
Link = Callable[[str], str]  # where an address leads from here; empty: nowhere


def slug(title: str) -> str:
    """A heading's id."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def render(source: str, link: Link) -> str:
    """Headings, paragraphs, lists, tables, code and the inline marks."""
    blocks = []
    for block in _blocks(source):
        first = block[0]
        if first.startswith("```"):
            code = escape("\n".join(block[1:]))
            blocks.append(f'<pre class="code" tabindex="0"><code>{code}</code></pre>')
        elif heading := re.match(r"(#{1,4}) (.+)", first):
            level, title = len(heading[1]), heading[2]
            blocks.append(f'<h{level} id="{slug(title)}">{_inline(title, link)}</h{level}>')
        elif first.startswith("|"):
            blocks.append(_table(block, link, sum("<table>" in done for done in blocks) + 1))
        elif first.startswith("- "):
            items = re.split(r"(?:^|\n)- ", "\n".join(block))[1:]
            blocks.append(f"<ul>{''.join(f'<li>{_inline(item, link)}</li>' for item in items)}</ul>")
        else:
            lines = [_inline(line.rstrip(), link) + ("<br>" if line.endswith("  ") else "") for line in block]
            blocks.append(f"<p>{chr(10).join(lines)}</p>")
    return "\n".join(blocks)


def _blocks(source: str) -> list[list[str]]:
    """Lines that belong together. A code block keeps its empty lines; a heading is a block of its own."""
    found: list[list[str]] = []
    open_block: list[str] = []
    in_code = False
    for line in [*source.splitlines(), ""]:
        if line.startswith("```"):
            in_code = not in_code
            if in_code:
                found, open_block = [*found, open_block], [line]
            else:
                found, open_block = [*found, open_block], []
        elif in_code:
            open_block.append(line)
        elif not line.strip() or line.startswith("#"):
            found, open_block = [*found, open_block], []
            if line.strip():
                found.append([line])
        else:
            if open_block and line[:2] in ("- ", "| ") and open_block[0][:1] != line[:1]:
                found, open_block = [*found, open_block], []
            open_block.append(line)
    return [block for block in found if block]


def _table(rows: list[str], link: Link, number: int) -> str:
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows]
    head = "".join(f'<th scope="col">{_inline(cell, link)}</th>' for cell in cells[0])
    body = "".join(f"<tr>{''.join(f'<td>{_inline(cell, link)}</td>' for cell in row)}</tr>" for row in cells[2:])
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {number}"><table>'
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _inline(text: str, link: Link) -> str:
    done, end = [], 0
    for mark in INLINE.finditer(text):
        done.append(escape(text[end : mark.start()]))
        end = mark.end()
        if mark["code"]:
            done.append(f"<code>{escape(mark['code'])}</code>")
        elif mark["strong"]:
            done.append(f"<strong>{_inline(mark['strong'], link)}</strong>")
        elif mark["em"]:
            done.append(f"<em>{_inline(mark['em'], link)}</em>")
        elif address := link(mark["url"]):
            done.append(f'<a href="{escape(address)}">{_inline(mark["text"], link)}</a>')
        else:
            done.append(_inline(mark["text"], link))
    done.append(escape(text[end:]))
    return "".join(done)
