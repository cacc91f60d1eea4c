"""Settings that cannot be meant are told in words, all at once."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib import admin
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from clusterops.admin import TenantClusterAdmin
from sumok8 import setting_rules
from sumok8 import settings as settings_module
from tenants.models import Tenant


def test_the_defaults_can_be_meant() -> None:
    assert setting_rules.problems(configured) == []


@pytest.mark.parametrize(
    "name, value, says",
    [
        (
            "JOB_DEFAULT_TIME_LIMIT_S",
            999_999,
            "(999999) is above JOB_MAX_TIME_LIMIT_S (86400)",
        ),
        ("MAX_ATTEMPTS", 0, "MAX_ATTEMPTS is 0; it must be at least 1 and at most 100."),
        ("DISPATCH_PER_SECOND", -1, "DISPATCH_PER_SECOND is -1; it must be at least 0."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is “xml”; it must be text or json."),
        ("RUNNER_URL", "sumok8-web:8000", "must begin with http:// or https://"),
        ("JOB_TOKEN_KEYS", ["short"], "less than 32 characters"),
    ],
)
def test_each_rule(settings: Any, name: str, value: Any, says: str) -> None:
    settings.DEBUG = False
    setattr(settings, name, value)
    [problem] = [problem for problem in setting_rules.problems(configured) if name in problem]
    assert says in problem


def test_manage_check_tells_them_all(settings: Any) -> None:
    settings.LOG_FORMAT, settings.MAX_ATTEMPTS = "xml", 0
    with pytest.raises(SystemCheckError, match=r"(?s)LOG_FORMAT.*MAX_ATTEMPTS"):
        call_command("check")


def test_every_number_among_the_settings_has_its_bounds() -> None:
    numbers = {name for name, kind in settings_module.__annotations__.items() if kind in (int, float)}
    assert numbers == setting_rules.BOUNDS.keys()


def test_tenants_pages_are_registered_once_by_the_topmost_room() -> None:
    assert type(admin.site.get_model_admin(Tenant)) is TenantClusterAdmin
