import json
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from tenants.management.base import OperatorCommand, find_tenant, refuse
from tenants.members import Member, Role


class Command(OperatorCommand):
    help = "Let a person see a tenant's pages, or change the role; a new account's password is printed once."
    example = "manage.py add_member city-a nora --role owner"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant")
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)
        parser.add_argument("--email", default="", help="Of a new account: where a forgotten password is asked for.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        user = User.objects.filter(username=options["username"]).first()
        password = None
        if user is None:
            password = secrets.token_urlsafe(12)
            user = User(username=options["username"], email=options["email"])
            user.set_password(password)
            try:
                user.full_clean()
            except ValidationError as error:
                raise refuse(error) from None
            user.save()
        given = {"role": options["role"], "by_groups": False}  # by hand: no sign-in takes it back
        Member.objects.update_or_create(tenant=tenant, user=user, defaults=given)
        if options["json"]:
            told = {"tenant_id": tenant.pk, "username": user.username, "role": options["role"], "password": password}
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(f"{user.username} is {options['role']} of {tenant}.")
        if password:
            self.stdout.write(f"Password (shown only now): {password}")
