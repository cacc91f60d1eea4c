"""API keys, for owners."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from simulations.portal.access import Seat, member_page, show
from tenants.api_keys import validate_label
from tenants.errors import ApiError
from tenants.members import Role
from tenants.models import ApiKey
from tenants.services import issue_key, rotate_key

ROWS = 200
OVERLAP = timedelta(hours=24)


class KeyForm(forms.Form):
    label = forms.CharField(max_length=100, validators=[validate_label], help_text="What it is for.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ENGINEER)
    expires_days = forms.IntegerField(
        label="Expires in (days)", required=False, min_value=1, max_value=36500, help_text="Empty: never."
    )


@member_page("GET", "HEAD", "POST", role=Role.OWNER)
def keys(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The list; a new key is shown in the answer to the form and nowhere else."""
    form, made = KeyForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        days = asked["expires_days"]
        ends = timezone.now() + timedelta(days=days) if days else None
        try:
            _, made = issue_key(tenant=seat.tenant, label=asked["label"], role=Role(asked["role"]), expires_at=ends)
            form = KeyForm()
        except ApiError as error:
            form.add_error(None, error.message)
    return _page(request, seat, form, made)


def _page(request: HttpRequest, seat: Seat, form: KeyForm, made: str | None) -> HttpResponse:
    rows = ApiKey.objects.shown().filter(tenant=seat.tenant).select_related("tenant")[:ROWS]
    context = {"form": form, "made": made, "keys": rows}
    return show(request, seat, "portal/keys.html", context, status=422 if form.errors else 200)


@member_page("POST", role=Role.OWNER)
def rotate(request: HttpRequest, seat: Seat, key_id: int) -> HttpResponse:
    """A successor, shown in this answer and nowhere else; the key itself works for a day more."""
    key = ApiKey.objects.select_related("tenant").filter(tenant=seat.tenant, pk=key_id).first()
    if key is None:
        raise Http404
    try:
        _, made = rotate_key(tenant=seat.tenant, key=key, overlap=OVERLAP)
    except (ApiError, ValidationError) as error:
        messages.error(request, error.message if isinstance(error, ApiError) else " ".join(error.messages))
        return redirect("portal:keys", seat.tenant.pk)
    return _page(request, seat, KeyForm(), made)


@member_page("POST", role=Role.OWNER)
def revoke(request: HttpRequest, seat: Seat, key_id: int) -> HttpResponse:
    """Refused from now on."""
    key = ApiKey.objects.filter(tenant=seat.tenant, pk=key_id).first()
    if key is None:
        raise Http404
    key.revoke()
    messages.success(request, f"{key.prefix}… is refused from now on.")
    return redirect("portal:keys", seat.tenant.pk)
