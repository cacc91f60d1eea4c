"""Members and invitations, for owners."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from simulations.portal.access import Seat, member_page, show
from tenants import member_services
from tenants.accounts import letters
from tenants.api_keys import validate_label
from tenants.errors import ApiError
from tenants.members import Invitation, Member, Role

ROWS = 500


class InviteForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)
    note = forms.CharField(
        label="For whom", max_length=100, required=False, validators=[validate_label], help_text="Seen by owners only."
    )

    email = forms.EmailField(
        label="Mail to", max_length=254, required=False, help_text="Empty: you pass the link on yourself."
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if not letters.can_be_sent():
            del self.fields["email"]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


@member_page("GET", "HEAD", "POST", role=Role.OWNER)
def members(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The list; the link of a new invitation is shown in the answer to the form and nowhere else."""
    form, link, mailed = InviteForm(request.POST if request.method == "POST" else None), "", ""
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            email = asked.get("email", "")
            row, token = member_services.invite(
                tenant=seat.tenant,
                role=Role(asked["role"]),
                note=asked["note"],
                email=email,
                by=request.user.get_username(),
            )
            if email:
                origin = f"{request.scheme}://{request.get_host()}"
                mailed = email if letters.ask_to_join(invitation=row, origin=origin) else ""
                if not mailed:
                    messages.warning(request, "Too many were mailed of late; pass this link on yourself.")
            # In the query, which no log keeps.
            link = request.build_absolute_uri(f"{reverse('portal:join')}?{urlencode({'token': token})}")
            form = InviteForm()
        except ApiError as error:
            form.add_error(None, error.message)
    context = {
        "form": form,
        "link": link,
        "mailed": mailed,
        "members": Member.objects.filter(tenant=seat.tenant).select_related("user")[:ROWS],
        "invitations": Invitation.objects.usable().filter(tenant=seat.tenant).select_related("letter"),
        "roles": Role.choices,
    }
    return show(request, seat, "portal/members.html", context, status=422 if form.errors else 200)


@member_page("POST", role=Role.OWNER)
def change_role(request: HttpRequest, seat: Seat, member_id: int) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise BadRequest("no such role")
    try:
        role = Role(form.cleaned_data["role"])
        member = member_services.change_role(tenant=seat.tenant, member_id=member_id, role=role)
        messages.success(request, f"{member.user} is {member.role} now.")
    except ApiError as error:
        _refused(request, error)
    return redirect("portal:members" if member_is_owner(seat) else "portal:home", seat.tenant.pk)


@member_page("POST", role=Role.OWNER)
def remove(request: HttpRequest, seat: Seat, member_id: int) -> HttpResponse:
    try:
        member = member_services.remove(tenant=seat.tenant, member_id=member_id)
        messages.success(request, f"{member.user} belongs to {seat.tenant} no more.")
    except ApiError as error:
        _refused(request, error)
    return redirect(*(("portal:members", seat.tenant.pk) if member_is_owner(seat) else ("front",)))


@member_page("POST", role=Role.OWNER)
def take_back(request: HttpRequest, seat: Seat, invitation_id: int) -> HttpResponse:
    """The link leads nowhere from now on."""
    if not Invitation.objects.filter(tenant=seat.tenant, pk=invitation_id, used_at=None).delete()[0]:
        raise Http404
    messages.success(request, "The invitation is taken back.")
    return redirect("portal:members", seat.tenant.pk)


def member_is_owner(seat: Seat) -> bool:
    """Still, after what was just done."""
    return Member.objects.filter(tenant=seat.tenant, user=seat.user, role=Role.OWNER).exists()


def _refused(request: HttpRequest, error: ApiError) -> None:
    if error.status_code == 404:
        raise Http404
    messages.error(request, error.message)
