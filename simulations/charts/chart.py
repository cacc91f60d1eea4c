"""What every chart is for its page: a picture, and the same in a table."""

from dataclasses import dataclass

from simulations.charts.svg import Svg

SERIES = 6  # colours that can be told apart


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend; `cls` draws its mark."""

    cls: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`columns` and `rows`: its numbers as texts, for readers without pictures. `has_y_axis`: numbers stand
    at its left."""

    title: str
    svg: Svg
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[Key, ...] = ()
    note: str = ""
    has_y_axis: bool = False


def series_class(position: int) -> str:
    return f"chart-s{position % SERIES + 1}"
