"""A few SVG elements as text, every text of other people's escaped."""

from xml.sax.saxutils import escape, quoteattr

from simulations.charts.scale import Scale

MOST_ON_A_PHONE, MOST = 26, 64  # characters of a name: what there is room for beside a figure


class Svg(str):
    """Markup that templates need not escape again."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def element(name: str, *inside: str, text: str = "", hint: str = "", **attributes: object) -> str:
    """`text` and `hint` (what a pointer shows) are escaped; `inside` is SVG. `cls` is the class; `_` stands for `-`."""
    told = "".join(
        f" {'class' if key == 'cls' else key.replace('_', '-')}={quoteattr(str(value))}"
        for key, value in attributes.items()
    )
    body = (f"<title>{_clean(hint)}</title>" if hint else "") + _clean(text) + "".join(inside)
    return f"<{name}{told}>{body}</{name}>" if body else f"<{name}{told}/>"


def _clean(text: str) -> str:
    """XML has no control characters, not even escaped."""
    return escape("".join(letter for letter in text if letter.isprintable()))


def picture(label: str, height: float, *inside: str, cls: str = "") -> Svg:
    """The whole drawing: as wide as its place, `height` pixels high."""
    aria = "".join(letter for letter in label if letter.isprintable())
    head = f'<svg class={quoteattr(f"chart-svg {cls}".strip())} role="img" width="100%" height="{height:g}"'
    return Svg(f"{head} aria-label={quoteattr(aria)}>{''.join(inside)}</svg>")


def percent(place: float) -> str:
    return f"{place:g}%"


def seconds(moment: float) -> str:
    """Of simulated time, for those who choose to read it so (charts/moments.js)."""
    return f"{moment:.10g}"


def upright(place: float, top: float, bottom: float, cls: str) -> str:
    return element("line", x1=percent(place), x2=percent(place), y1=top, y2=bottom, cls=cls)


def level(left: float, right: float, y: float, cls: str, hint: str = "") -> str:
    return element("line", x1=percent(left), x2=percent(right), y1=y, y2=y, cls=cls, hint=hint)


def row_name(name: str, y: float) -> str:
    """At the left, cut to what there is room for: narrow and wide places show one of two."""
    fits = len(name) <= MOST_ON_A_PHONE
    wide = element(
        "text", x="0", y=y, cls=f"chart-name{'' if fits else ' chart-wide'}", text=short(name, MOST), hint=name
    )
    if fits:
        return wide
    return wide + element(
        "text", x="0", y=y, cls="chart-name chart-narrow", text=short(name, MOST_ON_A_PHONE), hint=name
    )


def short(text: str, most: int) -> str:
    """Its end stays: names of cells differ there."""
    tail = most // 2 - 3
    return text if len(text) <= most else f"{text[: most - tail - 1]}…{text[-tail:]}"


def x_axis(
    scale: Scale,
    places: list[float],
    texts: list[str],
    *,
    top: float,
    bottom: float,
    unit: str = "",
    times: bool = False,
) -> list[str]:
    """Grid lines, the numbers below them, and the unit below those. `times`: x is simulated time."""
    drawn = [upright(scale.place(value), top, bottom, "chart-grid") for value in places]
    for value, text in zip(places, texts, strict=True):
        place = scale.place(value)
        anchor = "start" if place < 4 else "end" if place > 96 else "middle"
        moment = {"data_moment": seconds(value)} if times else {}
        drawn.append(
            element(
                "text", x=percent(place), y=bottom + 14, text_anchor=anchor, cls="chart-tick", text=text, **moment
            )
        )  # fmt: skip
    if unit:
        told = {"data_moment_unit": ""} if times else {}
        drawn.append(element("text", x="100%", y=bottom + 29, text_anchor="end", cls="chart-unit", text=unit, **told))
    return drawn
