"""From a request to its cells: variants times sweep, and which cell is compared with which. Without the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from simulations.sumo.inputs.options import ALLOWED

FIELDS = ("scale", "begin", "end", "step_length")  # of a job; any other name of a sweep is an option's
MERGED = ("options", "labels")
ONLY_VARIANT = "base"
MAX_CELLS = 50
MAX_NAME = 300


@dataclass(frozen=True)
class ExpansionFault:
    """One thing that is wrong with a request."""

    code: str
    message: str
    where: str

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "where": self.where}


@dataclass
class PlannedCell:
    """`body`: as POST /jobs would take it, without a seed. `against`: position of the cell it is compared with."""

    position: int
    name: str
    variant: str
    point: dict[str, Any]
    body: dict[str, Any]
    against: int | None = None


@dataclass
class Expansion:
    cells: list[PlannedCell] = field(default_factory=list)
    faults: list[ExpansionFault] = field(default_factory=list)


def expand(
    base: Mapping[str, Any],
    variants: Sequence[Mapping[str, Any]],
    sweep: Mapping[str, Sequence[Any]],
    baseline: str | None,
) -> Expansion:
    """All cells, or everything that is wrong. The bodies themselves are not looked into."""
    variants = variants or [{"name": ONLY_VARIANT}]
    faults = [*_seeds_given(base, variants), *_names(variants), *_sweep_faults(base, variants, sweep)]
    total = len(variants)
    for values in sweep.values():
        total *= len(values)
    if total > MAX_CELLS:
        faults.append(
            ExpansionFault("study.too_many_cells", f"{total} cells; at most {MAX_CELLS} are possible.", "sweep")
        )
    if faults:
        return Expansion(faults=faults)
    points = [dict(zip(sweep, values, strict=True)) for values in product(*sweep.values())]
    cells = [
        PlannedCell(
            position=position,
            name=_name_of(str(variant["name"]), point, alone=len(variants) == 1),
            variant=str(variant["name"]),
            point=point,
            body=_body(base, variant, point),
        )
        for position, (variant, point) in enumerate(product(variants, points))
    ]
    if too_long := next((cell for cell in cells if len(cell.name) > MAX_NAME), None):
        message = f"The cell's name “{too_long.name[:60]}…” would be longer than {MAX_NAME} characters."
        return Expansion(faults=[ExpansionFault("study.name_too_long", message, "sweep")])
    reference = _reference(cells, base, sweep, baseline)
    if isinstance(reference, ExpansionFault):
        return Expansion(faults=[reference])
    _set_against(cells, reference)
    return Expansion(cells=cells)


def _seeds_given(base: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> Iterator[ExpansionFault]:
    for where, part in [("base", base), *((f"variants[{i}]", part) for i, part in enumerate(variants))]:
        if part.get("seed") is not None:
            message = "All cells share the study's seeds; give them in “seeds”."
            yield ExpansionFault("study.seed_given", message, f"{where}.seed")


def _names(variants: Sequence[Mapping[str, Any]]) -> Iterator[ExpansionFault]:
    seen: set[str] = set()
    for position, variant in enumerate(variants):
        name, where = variant.get("name"), f"variants[{position}].name"
        if not isinstance(name, str) or not 1 <= len(name) <= 60 or name != name.strip() or not name.isprintable():
            message = "A variant's name is 1 to 60 printable characters, without spaces at its ends."
            yield ExpansionFault("study.bad_name", message, where)
        elif name in seen:
            yield ExpansionFault("study.same_name", f"There are two variants “{name}”.", where)
        else:
            seen.add(name)


def _sweep_faults(
    base: Mapping[str, Any], variants: Sequence[Mapping[str, Any]], sweep: Mapping[str, Sequence[Any]]
) -> Iterator[ExpansionFault]:
    for name, values in sweep.items():
        where = f"sweep.{name[:60]}"
        if name not in FIELDS and name not in ALLOWED:
            known = ", ".join([*FIELDS, *sorted(ALLOWED.keys() - {"scale", "step-length"})])
            yield ExpansionFault("study.not_swept", f"“{name[:60]}” cannot be swept. Known are: {known}.", where)
        elif name == "step-length":
            yield ExpansionFault("study.not_swept", "Write step_length.", where)
        if len({_plain(value) for value in values}) < len(values):  # cells are told apart by their names
            message = "A value is given twice, or two do not differ in their first ten digits."
            yield ExpansionFault("study.same_value", message, where)
        for position, variant in enumerate(variants):
            if _has(variant, name):
                message = f"“{name}” is swept and given by this variant too: one of them would be lost."
                yield ExpansionFault("study.given_twice", message, f"variants[{position}].{name}")


def _has(part: Mapping[str, Any], name: str) -> bool:
    if name in FIELDS:
        return part.get(name) is not None
    options = part.get("options")
    return isinstance(options, Mapping) and name in options


def _body(base: Mapping[str, Any], variant: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """Base, then the variant's fields over it, then the sweep's values; options and labels are merged by name."""
    changes = {name: value for name, value in variant.items() if name != "name"}
    body = {**base, **changes}
    for name in MERGED:
        if isinstance(base.get(name), Mapping) and isinstance(changes.get(name), Mapping):
            body[name] = {**base[name], **changes[name]}
    for name, value in point.items():
        if name in FIELDS:
            body[name] = value
        elif isinstance(body.get("options", {}), Mapping):
            body["options"] = {**body.get("options", {}), name: value}
    return body


def _name_of(variant: str, point: Mapping[str, Any], *, alone: bool) -> str:
    parts = [] if alone and point else [variant]
    return ", ".join([*parts, *(f"{name}={_plain(value)}" for name, value in point.items())])


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value + 0:.10g}" if isinstance(value, int | float) else str(value)  # -0 is 0


def _reference(
    cells: Sequence[PlannedCell], base: Mapping[str, Any], sweep: Mapping[str, Sequence[Any]], baseline: str | None
) -> PlannedCell | ExpansionFault:
    """The baseline: the cell of that name; else the variant of that name (the first if none is named) where the sweep
    has what the base asks for, a scale of 1, or else its first value."""
    for cell in cells:
        if cell.name == baseline:
            return cell
    variant = cells[0].variant if baseline is None else baseline
    own = [cell for cell in cells if cell.variant == variant]
    if not own:
        known = ", ".join(dict.fromkeys([*(cell.variant for cell in cells), *(cell.name for cell in cells)]))
        return ExpansionFault(
            "study.no_baseline", f"There is no variant or cell “{baseline}”: {known[:500]}.", "baseline"
        )
    return max(own, key=lambda cell: sum(_is_usual(name, cell.point[name], base) for name in sweep))


def _is_usual(name: str, value: Any, base: Mapping[str, Any]) -> bool:
    options = base.get("options")
    asked = base.get(name) if name in FIELDS else (options.get(name) if isinstance(options, Mapping) else None)
    if asked is None and name == "scale":
        asked = 1
    return asked is not None and value == asked


def _set_against(cells: Sequence[PlannedCell], reference: PlannedCell) -> None:
    """Another variant is compared with the baseline's variant at its own point, and that variant's other points with
    the baseline: each cell but one has one comparison."""
    home = {repr(cell.point): cell for cell in cells if cell.variant == reference.variant}
    for cell in cells:
        if cell.variant != reference.variant:
            cell.against = home[repr(cell.point)].position
        elif cell is not reference:
            cell.against = reference.position
