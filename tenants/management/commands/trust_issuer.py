import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from tenants.egress.fetching import Unreachable
from tenants.management.base import OperatorCommand, find_tenant, refuse
from tenants.members import Role
from tenants.models import TrustedIssuer
from tenants.trust.issuers import read


class Command(OperatorCommand):
    help = (
        "Let programs trade an identity provider's tokens for API keys of a tenant that end in 15 minutes, or, with "
        "--people, let whom OIDC_ISSUER signs in see its pages. Repeating changes the role."
    )
    example = (
        "manage.py trust_issuer city-a --issuer https://token.actions.githubusercontent.com "
        "--audience https://sumo.example.org --claim repository=city/model --claim ref=refs/heads/main"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant")
        parser.add_argument("--issuer", metavar="URL", help="The tokens' “iss”. With --people: OIDC_ISSUER.")
        parser.add_argument("--audience", help="The tokens' “aud”. With --people: OIDC_CLIENT_ID.")
        parser.add_argument(
            "--claim",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="It must be there with exactly this value; repeat it for more. VALUE is text, or JSON: 42, true.",
        )
        parser.add_argument("--role", choices=Role.values, default=Role.ENGINEER.value)
        parser.add_argument(
            "--people", action="store_true", help="For sign-in, such as --claim groups=city-a-planners."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        people = options["people"]
        issuer = options["issuer"] or (settings.OIDC_ISSUER if people else "")
        audience = options["audience"] or (settings.OIDC_CLIENT_ID if people else "")
        if not issuer or not audience:
            raise CommandError("Give --issuer and --audience; with --people, or set OIDC_ISSUER and OIDC_CLIENT_ID.")
        purpose = TrustedIssuer.Purpose.PEOPLE if people else TrustedIssuer.Purpose.PROGRAMS
        wanted = {"issuer": issuer, "audience": audience, "claims": dict(map(_claim, options["claim"]))}
        row = TrustedIssuer.objects.filter(tenant=tenant, purpose=purpose, **wanted).first()
        row = row or TrustedIssuer(tenant=tenant, purpose=purpose, **wanted)
        row.role = options["role"]
        try:
            row.full_clean()
        except ValidationError as error:
            raise refuse(error) from None
        row.save()
        self.stdout.write(f"{tenant} trusts {row.issuer} as number {row.pk}: {row.purpose}, role {row.role}.")
        try:
            _, keys = read(row.issuer)
        except Unreachable as error:
            self.stdout.write(f"Its keys cannot be read from here: {error}")
        else:
            self.stdout.write(f"It publishes {len(keys)} key(s).")


def _claim(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise CommandError(f"--claim {text}: write NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
