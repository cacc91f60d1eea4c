"""Staff's form of limits: where one may be empty, it says what the service gives then."""

from typing import Any

from django import forms
from django.conf import settings

GIB = 2**30


class LimitsForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (setting, given) in _service_gives().items():
            if name in self.fields:
                words = str(self.fields[name].help_text)
                self.fields[name].help_text = words.replace(f"the service's {setting}", f"{given} ({setting})")


def _service_gives() -> dict[str, tuple[str, str]]:
    """(setting, its value in words) by limit."""
    rate = settings.RATE_LIMIT_PER_MINUTE
    return {
        "max_result_gib": ("TENANT_MAX_RESULT_BYTES", f"{settings.TENANT_MAX_RESULT_BYTES / GIB:g} GiB"),
        "max_scenario_gib": ("TENANT_MAX_SCENARIO_BYTES", f"{settings.TENANT_MAX_SCENARIO_BYTES / GIB:g} GiB"),
        "requests_per_minute": ("RATE_LIMIT_PER_MINUTE", str(rate) if rate else "no limit"),
        "request_burst": ("RATE_LIMIT_BURST", str(settings.RATE_LIMIT_BURST)),
    }
