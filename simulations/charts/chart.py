"""What every chart is for its page: a picture, and the same in a table."""

from collections.abc import Iterator
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
    at its left. `moments`: where x is simulated time, the seconds of each row."""

    title: str
    svg: Svg
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[Key, ...] = ()
    note: str = ""
    has_y_axis: bool = False
    moments: tuple[str, ...] = ()

    @property
    def lines(self) -> Iterator[tuple[str | None, tuple[str, ...]]]:
        """Of the table, each with its moment."""
        return zip(self.moments or (None,) * len(self.rows), self.rows, strict=True)


def series_class(position: int) -> str:
    return f"chart-s{position % SERIES + 1}"
