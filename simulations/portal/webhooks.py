"""Webhooks, for owners: who is told, and what became of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from simulations.portal import live
from simulations.portal.access import Seat, member_page, show
from simulations.portal.jobs import told_of
from simulations.webhooks.api.shapes import KINDS, EndpointRequest
from simulations.webhooks.models import Delivery, Endpoint
from simulations.webhooks.outbox import MAX_REPLAYED, replay
from simulations.webhooks.services import add_endpoint, delete_endpoint, send_test
from tenants.errors import ApiError
from tenants.members import Role

DELIVERIES = 50
REPLAYED = timedelta(days=1)


class EndpointForm(forms.Form):
    url = forms.CharField(label="Address", max_length=500, help_text="https://…, a public one.")
    events = forms.MultipleChoiceField(
        label="Told of", choices=KINDS, required=False, widget=forms.CheckboxSelectMultiple, help_text="None: all."
    )


@member_page("GET", "HEAD", "POST", role=Role.OWNER)
def webhooks(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The list and what was sent last; the secret of a new one is shown in the answer to the form and nowhere else."""
    form, made = EndpointForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        try:
            wanted = EndpointRequest.read(form.cleaned_data)
            made = add_endpoint(tenant=seat.tenant, url=wanted["url"], events=wanted["events"])
            form = EndpointForm()
        except (ApiError, ValidationError) as error:
            form.add_error(None, told_of(error))
    return _page(request, seat, form, {"made": made})


def _page(request: HttpRequest, seat: Seat, form: EndpointForm, more: dict[str, Endpoint | None]) -> HttpResponse:
    context = _sent(seat) | {
        "form": form,
        **more,
        "endpoints": Endpoint.objects.filter(tenant=seat.tenant),
    }
    return show(request, seat, "portal/webhooks.html", context, status=422 if form.errors else 200)


@member_page(role=Role.OWNER)
def sent(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What became of the last ones, for polling while any is on its way."""
    context = _sent(seat)
    return live.fragment(request, seat, "portal/_webhooks_sent.html", context, ended=not context["is_awaited"])


def _sent(seat: Seat) -> dict[str, Any]:
    rows = Delivery.objects.filter(endpoint__tenant=seat.tenant).select_related("endpoint", "notice")
    found = list(rows.order_by("-created_at", "-id")[:DELIVERIES])
    return {
        "deliveries": found,
        "is_awaited": any(each.state == Delivery.State.PENDING and each.endpoint.is_active for each in found),
        "now": timezone.now(),
        "mark": live.mark([(each.pk, each.state, each.tries, each.next_try_at) for each in found]),
    }


@member_page("POST", role=Role.OWNER)
@transaction.atomic
def change(request: HttpRequest, seat: Seat, endpoint_id: UUID) -> HttpResponse:
    """`act`: test, replay, rotate, delete, or resume one that the service calls no more."""
    # Locked, so that it is not deleted meanwhile.
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(tenant=seat.tenant, pk=endpoint_id).first()
    if endpoint is None:
        raise Http404
    match request.POST.get("act"):
        case "test":
            try:
                send_test(endpoint)
                messages.success(request, "A test is on its way; what became of it shows below.")
            except ApiError as error:
                messages.error(request, error.message)
        case "replay":
            queued = replay(endpoint, timezone.now() - REPLAYED, MAX_REPLAYED)
            messages.success(request, f"{endpoint.url} is told again of what happened in the last day: {queued}.")
        case "rotate":
            endpoint.rotate()
            return _page(request, seat, EndpointForm(), {"rotated": endpoint})
        case "delete":
            delete_endpoint(endpoint)
            messages.success(request, f"{endpoint.url} is told no more.")
        case "resume":
            resumed = {"is_active": True, "disabled_because": "", "failing_since": None}
            Endpoint.objects.filter(pk=endpoint.pk).update(**resumed)
            messages.success(request, f"{endpoint.url} is told again, with what waits for it.")
    return redirect("portal:webhooks", seat.tenant.pk)
