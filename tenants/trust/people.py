"""Who has signed in at the operator's identity provider: the account, its places in tenants, its rights as staff."""

import logging
import re
import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.errors import ApiError
from tenants.members import Member, Role
from tenants.models import Identity, TrustedIssuer
from tenants.trust.tokens import Token

log = logging.getLogger("tenants.trust")

ROLES = list(Role)
NOT_IN_A_NAME = re.compile(r"[^\w.@+-]+")


def signed_in(token: Token) -> User:
    """The account of the token's `sub`, with what its claims give and no more of what earlier ones gave.

    Raises ApiError 403 for who has no place here; then no account is made.
    """
    try:
        return _signed_in(token)
    except IntegrityError:  # the same person's first sign-in, in two windows at once
        return _signed_in(token)


@transaction.atomic
def _signed_in(token: Token) -> User:
    known = Identity.objects.select_for_update().filter(issuer=token.issuer, subject=token.subject).first()
    places, groups = _places(token), _staff_groups(token)
    if known is None and not places and not groups:
        raise ApiError(403, "sign_in.no_place", "None of your groups leads to a tenant; ask your operator for a place.")
    identity = known or _new_identity(token)
    user = identity.user
    if not user.is_active:
        raise ApiError(403, "sign_in.inactive", "This account is not active; ask your operator.")
    _seat(user, places)
    _staff(identity, groups)
    return user


def _places(token: Token) -> dict[str, Role]:
    """The highest role by tenant."""
    rows = TrustedIssuer.objects.filter(
        purpose=TrustedIssuer.Purpose.PEOPLE, issuer=token.issuer, audience__in=token.audiences
    )
    found: dict[str, Role] = {}
    used = [row for row in rows if row.matches(token.claims)]
    for row in used:
        found[row.tenant_id] = max(found.get(row.tenant_id, Role.VIEWER), Role(row.role), key=ROLES.index)
    TrustedIssuer.objects.filter(pk__in=[row.pk for row in used]).update(last_used_at=timezone.now())
    return found


def _staff_groups(token: Token) -> set[str]:
    told = token.claims.get(settings.OIDC_GROUPS_CLAIM)
    names = told if isinstance(told, list) else [told]
    return {group for name, group in settings.OIDC_STAFF_GROUPS.items() if name in names}


def _new_identity(token: Token) -> Identity:
    """Never an account that is here already: a name at the provider is no proof of who made that one."""
    asked = token.claims.get("preferred_username") or token.claims.get("email") or token.claims.get("name") or "member"
    name = NOT_IN_A_NAME.sub("-", str(asked))[:100].strip("-") or "member"
    if User.objects.filter(username=name).exists():
        name = f"{name}-{secrets.token_hex(4)}"
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    return Identity.objects.create(user=user, issuer=token.issuer, subject=token.subject)


def _seat(user: User, places: dict[str, Role]) -> None:
    """Places by groups become exactly these; those that somebody gave by hand stay as they are."""
    Member.objects.filter(user=user, by_groups=True).exclude(tenant__in=places).delete()
    for tenant_id, role in places.items():
        member, is_new = Member.objects.get_or_create(
            tenant_id=tenant_id, user=user, defaults={"role": role, "by_groups": True}
        )
        if not is_new and member.by_groups and member.role != role:
            member.role = role
            member.save(update_fields=["role"])


def _staff(identity: Identity, wanted: set[str]) -> None:
    """Staff by groups, where OIDC_STAFF_GROUPS says which; what earlier sign-ins gave ends with it, too. A superuser is
    made and unmade by hand alone."""
    user = identity.user
    ours = set(settings.OIDC_STAFF_GROUPS.values()) | set(identity.staff_groups)
    if not ours or user.is_superuser:
        return
    groups = {group.name: group for group in Group.objects.filter(name__in=ours)}
    for name in sorted(wanted - groups.keys()):
        log.warning("OIDC_STAFF_GROUPS names the group %s, which does not exist", name)
    user.groups.remove(*(group for name, group in groups.items() if name not in wanted))
    user.groups.add(*(group for name, group in groups.items() if name in wanted))
    user.is_staff = bool(wanted & groups.keys())
    user.save(update_fields=["is_staff"])
    given = sorted(wanted & groups.keys())
    if identity.staff_groups != given:
        identity.staff_groups = given
        identity.save(update_fields=["staff_groups"])
