"""A scenario at a glance: its network drawn, its departures, and what changed between versions."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from simulations.charts.chart import Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.scale import plain
from simulations.models import Scenario, ScenarioProfile
from simulations.portal.access import Seat, member_page, show
from simulations.portal.lookup import find_scenario
from simulations.services.profiles import profile_of
from simulations.sumo.inputs.profile import changes

MOST_PATHS = 100  # named of each kind of change
MAX_AGE_S = 86400
MARGIN = 8
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><path d="{path}" fill="none" stroke="#2f8f9f" '
    'stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


@member_page()
def glance(request: HttpRequest, seat: Seat, scenario_id: str) -> HttpResponse:
    """The part that a scenario's page fetches, or a page of its own."""
    scenario = find_scenario(request, seat, scenario_id)
    part = "HX-Request" in request.headers
    template = "portal/_glance.html" if part else "portal/glance.html"
    return show(request, seat, template, {"scenario": scenario, **of_scenario(scenario)})


def of_scenario(scenario: Scenario) -> dict[str, Any]:
    """What the template needs; made now if it is not kept yet."""
    found = profile_of(scenario)
    if found is None:
        return {"unread": True}
    network = found["network"]
    before = (
        Scenario.objects.filter(tenant=scenario.tenant_id, scenario_id=scenario.scenario_id)
        .filter(version__lt=scenario.version)
        .order_by("-version")
        .first()
    )
    return {
        "network": network,
        "box": _box(network),
        "departures": _departures(found["departures"]),
        "before": before,
        "changes": before and _named(found["files"], (profile_of(before) or {}).get("files")),
    }


@member_page()
def network_svg(request: HttpRequest, seat: Seat, scenario_id: str) -> HttpResponse:
    """The network as a small picture for lists; nothing yet while another is being made."""
    found = profile_of(find_scenario(request, seat, scenario_id), may_wait=False)
    network: dict[str, Any] = found["network"] if found else {"width": 0, "height": 0, "path": ""}
    width = max(network["width"], network["height"]) / 60
    answer = HttpResponse(
        SVG.format(box=_box(network), path=network["path"], width=f"{width:.1f}"), content_type="image/svg+xml"
    )
    answer["Cache-Control"] = f"private, max-age={MAX_AGE_S}" if found else "no-store"  # a version never changes
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def told_of_versions(versions: Iterable[Scenario]) -> list[tuple[Scenario, str]]:
    """Newest first, each with what changed since the one below, where both are known. One query."""
    rows = list(versions)
    kept = ScenarioProfile.objects.filter(scenario__in=rows).values_list("pk", "content__files")
    known = dict(kept)
    told = []
    for row, older in zip(rows, [*rows[1:], None], strict=True):
        old, new = known.get(older.pk) if older else None, known.get(row.pk)
        told.append((row, _counted(changes(old, new)) if old is not None and new is not None else ""))
    return told


def _counted(found: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(paths)} {kind}" for kind, paths in found.items()) or "the same files"


def _named(new: dict[str, str] | None, old: dict[str, str] | None) -> list[tuple[str, list[str], int]] | None:
    """(kind, paths, how many more); None where versions cannot be compared."""
    if new is None or old is None:
        return None
    return [(kind, paths[:MOST_PATHS], max(0, len(paths) - MOST_PATHS)) for kind, paths in changes(old, new).items()]


def _box(network: dict[str, Any]) -> str:
    return f"{-MARGIN} {-MARGIN} {network['width'] + 2 * MARGIN} {network['height'] + 2 * MARGIN}"


def _departures(found: dict[str, Any] | None) -> Chart | None:
    if found is None:
        return None
    width, begin = found["bin_s"], found["begin"]
    points = tuple(
        CurvePoint(begin + (place + 0.5) * width, count * 3600 / width) for place, count in enumerate(found["counts"])
    )
    return curves(
        "Vehicles by departure time", [Curve("Vehicles", points)], x_unit="simulated time, h:mm",
        y_unit="vehicles per hour", text=lambda value: f"{plain(value, 0)} veh/h", times=True, zero=True,
    )  # fmt: skip
