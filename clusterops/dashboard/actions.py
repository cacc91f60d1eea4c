"""What staff's forms on the dashboard do. Everything else of it only reads."""

from collections import Counter
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from clusterops.dashboard import attention, job_actions
from clusterops.dashboard.access import staff_action
from clusterops.dashboard.job_actions import AT_ONCE, Said
from clusterops.policy.causes import CAUSES
from simulations.models import Job
from tenants.models import Tenant


@staff_action("simulations.cancel_job")
def cancel_jobs(request: HttpRequest) -> HttpResponse:
    """POST job=…&job=…: a page that says whose jobs these are and asks; with confirmed=1 they are cancelled."""
    chosen = _chosen(request)
    jobs = [] if "confirmed" in request.POST else job_actions.cancellable(chosen)
    if not jobs:
        return _answer(request, job_actions.cancel(request.user, chosen))  # type: ignore[arg-type]
    context = {
        "jobs": jobs,
        "by_tenant": sorted(Counter(job.tenant_id for job in jobs).items()),
        "rest": len(chosen) - len(jobs),
        "back": _back(request),
    }
    return render(request, "cluster/cancel.html", context)


@staff_action("simulations.rerun_job")
def rerun_jobs(request: HttpRequest) -> HttpResponse:
    """POST job=…, with memory=more for twice as much."""
    more = request.POST.get("memory") == "more"
    return _answer(request, job_actions.rerun(request.user, _chosen(request), more_memory=more))  # type: ignore[arg-type]


@staff_action("tenants.view_tenant")
def compare_jobs(request: HttpRequest) -> HttpResponse:
    """POST job=…&job=… of one tenant: to the tenant's own comparison, which staff may look at."""
    chosen = _chosen(request)
    tenants = set(Job.objects.filter(pk__in=chosen).order_by().values_list("tenant_id", flat=True))
    if len(chosen) < 2 or len(tenants) != 1:
        return _answer(request, Said("Choose two jobs or more of one tenant to compare them.", is_good=False))
    query = urlencode({"jobs": ",".join(map(str, chosen))})
    return redirect(f"{reverse('portal:compare', args=[tenants.pop()])}?{query}")


@staff_action("clusterops.add_attentionsilence")
def silence(request: HttpRequest, code: str) -> HttpResponse:
    """POST span=1h, with tenant=… for one alone; span=none ends all silences of the cause."""
    span, tenant_id = request.POST.get("span", ""), request.POST.get("tenant", "") or None
    if code not in CAUSES or (tenant_id and not Tenant.objects.filter(pk=tenant_id).exists()):
        raise Http404
    if span == "none":
        attention.speak(code)
        messages.success(request, "It is told again.")
    elif span in attention.SILENCES:
        attention.silence(request.user, code, span, tenant_id)  # type: ignore[arg-type]
        messages.success(request, f"Silenced for {span}{f' of {tenant_id}' if tenant_id else ''}.")
    return redirect("cluster:cause", code)


def _chosen(request: HttpRequest) -> list[UUID]:
    found = []
    for text in request.POST.getlist("job")[:AT_ONCE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _answer(request: HttpRequest, said: Said) -> HttpResponse:
    messages.add_message(request, messages.SUCCESS if said.is_good else messages.WARNING, said.text)
    if said.new_job and request.POST.get("from") == "page":
        return redirect("cluster:job", said.new_job)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """Where the form was, if that is a page of ours."""
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if safe else reverse("cluster:jobs")
