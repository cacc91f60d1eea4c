"""Staff look at studies."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_support_sees_studies_and_changes_none(support: Client, submit: Any) -> None:
    study = submit(name="bus lane")
    listed = support.get(reverse("admin:studies_study_changelist"), {"q": "bus"})
    assert b"bus lane" in listed.content
    address = reverse("admin:studies_study_change", args=[study.pk])
    shown = support.get(address)
    assert b"today" in shown.content
    assert support.post(address, {"name": "x"}).status_code == 403
