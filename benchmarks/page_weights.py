"""Every page in Chromium: when something is first seen, and what goes over the wire, compressed, at first and again."""

from typing import Any

from benchmarks.chromium import opened

SEEN = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
CARRIED = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return [all.length, all.reduce((sum, each) => sum + each.transferSize, 0)];
}"""
TENANT = (
    "", "/jobs", "/jobs/{job}", "/jobs/{job}/log", "/scenarios", "/scenarios/{scenario}", "/submit", "/studies",
    "/studies/new", "/studies/{study}", "/studies/{study}/compare", "/keys", "/members", "/webhooks", "/usage",
    "/changes",
)  # fmt: skip
OTHERS = ("/account", "/docs", "/docs/reasons", "/search?q=zurich")
STAFF = (
    "/cluster/", "/cluster/jobs/", "/cluster/jobs/{job}/", "/cluster/tenants/", "/cluster/tenants/{tenant}/",
    "/cluster/changes/", "/admin/", "/admin/usage", "/admin/tenants/tenant/", "/admin/simulations/job/",
)  # fmt: skip


def measure() -> list[dict[str, Any]]:
    """A tenant with 10,000 jobs and 50 studies, as its owner and as staff."""
    from benchmarks.tenant_pages import filled

    tenant, ended, study, owner, staff = filled()
    names = {"tenant": tenant.pk, "job": ended.pk, "study": study, "scenario": "zurich_peak"}
    with opened(owner, staff) as [as_owner, as_staff]:
        pages = [(as_owner, f"/t/{tenant.pk}{page}") for page in TENANT] + [(as_owner, page) for page in OTHERS]
        pages += [(as_staff, page) for page in STAFF]
        return [_row(fresh, page, names) for fresh, page in pages]


def _row(fresh: Any, page: str, names: dict[str, Any]) -> dict[str, Any]:
    context = fresh()
    try:
        first, again = (_visit(context, page.format(**names)) for _ in range(2))
    finally:
        context.close()
    return {
        "page": page,
        "first paint ms": first[0],
        "requests": first[1],
        "KB": first[2] / 1000,
        "again ms": again[0],
        "again KB": again[2] / 1000,
    }


def _visit(context: Any, path: str) -> tuple[float, int, int]:
    tab = context.new_page()
    answer = tab.goto(path, wait_until="load")
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    seen = tab.wait_for_function(SEEN).json_value()
    tab.wait_for_timeout(300)  # what scripts ask for at once
    requests, size = tab.evaluate(CARRIED)
    tab.close()
    return seen, requests, size
