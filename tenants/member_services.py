"""What changes a tenant's people. A tenant never loses its last owner by its own hand: nobody in it could mend that."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from tenants.errors import ApiError
from tenants.members import Invitation, Member, Role
from tenants.models import Tenant

MAX_OPEN_INVITATIONS = 50


@transaction.atomic
def invite(*, tenant: Tenant, role: Role, note: str = "", email: str = "", by: str = "") -> tuple[Invitation, str]:
    """The invitation and its token, which is never stored. Raises ApiError 409 invitations.too_many."""
    tenant.lock()
    if Invitation.objects.usable().filter(tenant=tenant).count() >= MAX_OPEN_INVITATIONS:
        message = f"{MAX_OPEN_INVITATIONS} invitations are open already; take some back first."
        raise ApiError(409, "invitations.too_many", message)
    token, digest, ends = Invitation.new_token()
    told = {"note": note, "email": email, "made_by": by}
    row = Invitation.objects.create(tenant=tenant, role=role, digest=digest, expires_at=ends, **told)
    return row, token


@transaction.atomic
def join(*, token: str, user: User) -> Member:
    """Use the invitation; who is a member already keeps the higher role. Raises ApiError 410 invitation.over."""
    found = Invitation.objects.usable().with_token(token).select_for_update(of=("self",)).first()
    if found is None:
        raise ApiError(410, "invitation.over", "This invitation was used, has expired or was taken back.")
    member, is_new = Member.objects.get_or_create(tenant_id=found.tenant_id, user=user, defaults={"role": found.role})
    if not is_new and Role(found.role).covers(Role(member.role)):
        member.role, member.by_groups = found.role, False  # given by hand from now on: no sign-in takes it back
        member.save(update_fields=["role", "by_groups"])
    found.used_at = timezone.now()
    found.save(update_fields=["used_at"])
    return member


@transaction.atomic
def change_role(*, tenant: Tenant, member_id: int, role: Role) -> Member:
    """Raises ApiError 404 member.not_found, 409 member.last_owner."""
    member = _locked(tenant, member_id)
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role, member.by_groups = role, False  # given by hand from now on: no sign-in changes it back
    member.save(update_fields=["role", "by_groups"])
    return member


@transaction.atomic
def remove(*, tenant: Tenant, member_id: int) -> Member:
    """The account stays, maybe in other tenants. Raises ApiError 404 member.not_found, 409 member.last_owner."""
    member = _locked(tenant, member_id)
    _keep_an_owner(member)
    member.delete()
    return member


def _locked(tenant: Tenant, member_id: int) -> Member:
    tenant.lock()  # two owners may remove each other at once
    member = Member.objects.select_related("user").filter(tenant=tenant, pk=member_id).first()
    if member is None:
        raise ApiError(404, "member.not_found", "There is no such member.")
    return member


def _keep_an_owner(member: Member) -> None:
    others = Member.objects.filter(tenant=member.tenant_id, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise ApiError(409, "member.last_owner", "A tenant needs an owner: make somebody else one first.")
