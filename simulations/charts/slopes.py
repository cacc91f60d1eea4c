"""What each seed did from one cell to the other: a line a seed."""

from collections.abc import Mapping

from simulations.charts.chart import Chart, Key
from simulations.charts.plane import Plane, Text
from simulations.charts.scale import Scale, fitting
from simulations.charts.svg import picture, short

LEFT, RIGHT = 0.12, 0.88
HEIGHT = 180


def slopes(
    title: str, base: tuple[str, Mapping[int, float]], cell: tuple[str, Mapping[int, float]], *, unit: str, text: Text,
    better: str | None,
) -> Chart:  # fmt: skip
    """(name, seed → value) of both; seeds that one lacks are left out. `better`: lower, higher or None."""
    pairs = {seed: (base[1][seed], cell[1][seed]) for seed in base[1] if seed in cell[1]}
    plane = Plane(Scale(0, 1), fitting(value for pair in pairs.values() for value in pair), HEIGHT)
    names = [short(name, 20) for name in (base[0], cell[0])]
    drawn = plane.axes([LEFT, RIGHT], names, x_unit="", y_unit=unit)
    lines, dots = [], []
    for seed, (before, after) in pairs.items():
        kind = _kind(before, after, better)
        lines.append(plane.line([(LEFT, before), (RIGHT, after)], f"chart-slope {kind}"))
        hint = f"seed {seed}: {text(before)}, then {text(after)}"
        dots += [plane.dot(x, y, f"chart-point {kind}", hint, 3) for x, y in ((LEFT, before), (RIGHT, after))]
    kinds = [_kind(before, after, better) for before, after in pairs.values()]
    told = ", ".join(_count(kinds, kind) for kind in WORDS if kind in kinds) or "no seed in both"
    return Chart(
        title=title,
        svg=picture(f"{title}: {told}", plane.bottom + 20, *drawn, plane.stretched(*lines), *dots),
        columns=("seed", base[0], cell[0]),
        rows=tuple((str(seed), text(before), text(after)) for seed, (before, after) in pairs.items()),
        legend=tuple(Key(f"key-line {kind}", _count(kinds, kind)) for kind in WORDS if kind in kinds),
        has_y_axis=True,
    )


WORDS = {
    "chart-better": "better", "chart-worse": "worse", "chart-higher": "higher", "chart-lower": "lower",
    "chart-identical": "unchanged",
}  # fmt: skip


def _count(kinds: list[str], kind: str) -> str:
    count = kinds.count(kind)
    return f"{count} {'seed' if count == 1 else 'seeds'} {WORDS[kind]}"


def _kind(before: float, after: float, better: str | None) -> str:
    if before == after:
        return "chart-identical"
    way = "higher" if after > before else "lower"
    if better is None:
        return f"chart-{way}"
    return "chart-better" if way == better else "chart-worse"
