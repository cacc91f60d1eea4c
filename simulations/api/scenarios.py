"""`/scenarios`: upload, look inside, download, delete."""

from typing import Any, BinaryIO, cast

from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations.api import downloads, uploads
from simulations.api.callers import query, tenant_of
from simulations.api.pagination import page
from simulations.api.requests import DryRunQuery, OverlayRequest, ScenarioListQuery, UploadRequest, VersionQuery
from simulations.api.serializers import (
    CheckedScenarioSerializer,
    ScenarioDetailSerializer,
    ScenarioListSerializer,
    UploadedScenarioSerializer,
    uploaded_as_json,
)
from simulations.models import Scenario
from simulations.services import add_scenario, delete_scenario
from simulations.services.overlays import add_overlay
from simulations.services.scenarios import inspect_scenario
from simulations.services.storage import uses_of
from tenants.errors import ApiError
from tenants.models import Tenant
from tenants.parsers import FormParser

MAX_VERSIONS = 200
PACKED = OpenApiResponse(OpenApiTypes.BINARY, description="The zip as uploaded; 302 where storage answers itself.")


class ScenariosView(viewsets.ViewSet):
    """All scenarios of the caller."""

    parser_classes = [FormParser]

    @extend_schema(
        summary="Upload a scenario",
        description="With `dry_run=1` it is checked and thrown away.",
        request={"multipart/form-data": UploadRequest},
        parameters=[DryRunQuery],
        responses={
            201: UploadedScenarioSerializer,
            200: OpenApiResponse(
                PolymorphicProxySerializer(
                    "UploadedOrChecked", [UploadedScenarioSerializer, CheckedScenarioSerializer], None
                ),
                description="The newest version has these bytes already; or a dry run found nothing wrong.",
            ),
            413: None,
            422: None,
            503: None,
            507: None,
        },
        tags=["scenarios"],
    )
    def create(self, request: Request) -> Response:
        dry_run = query(request, DryRunQuery)["dry_run"]
        uploads.prepare(request)
        uploads.refuse_repeated(request.data)
        form = UploadRequest(data=request.data)
        form.is_valid(raise_exception=True)
        file: uploads.HashedFile = form.validated_data["file"]
        tenant = tenant_of(request)
        if dry_run:
            inspection = inspect_scenario(cast(BinaryIO, file), form.validated_data.get("config"))
            checked = {"config": inspection.config, "size_bytes": file.size, "sha256": file.sha256}
            return Response(checked | {"inspection": inspection.as_dict()})
        scenario, is_new = add_scenario(
            tenant=tenant,
            scenario_id=form.validated_data["scenario_id"],
            content=cast(BinaryIO, file),
            size=file.size or 0,
            sha256=file.sha256,
            config=form.validated_data.get("config"),
        )
        return _uploaded(tenant, scenario, is_new)

    @extend_schema(
        summary="List scenarios", parameters=[ScenarioListQuery], responses=ScenarioListSerializer, tags=["scenarios"]
    )
    def list(self, request: Request) -> Response:
        asked = query(request, ScenarioListQuery)
        tenant = tenant_of(request)
        rows = Scenario.objects.one_per_name(tenant.pk)
        found, following = page(request, rows, order_by="uploaded_at", limit=asked["limit"], cursor=asked.get("cursor"))
        return Response(ScenarioListSerializer({"scenarios": found, "next": following}).data)


class ScenarioView(viewsets.ViewSet):
    """One scenario by its name; `?version=` picks one that is not the newest."""

    @extend_schema(
        summary="Look inside a scenario",
        parameters=[VersionQuery],
        responses=ScenarioDetailSerializer,
        tags=["scenarios"],
    )
    def retrieve(self, request: Request, scenario_id: str) -> Response:
        scenario: Any = _find(request, scenario_id)
        versions = Scenario.objects.filter(tenant=scenario.tenant_id, scenario_id=scenario_id)
        scenario.versions = versions.order_by("-version").defer("inspection")[:MAX_VERSIONS]
        return Response(ScenarioDetailSerializer(scenario).data)

    @extend_schema(
        summary="Delete a scenario or one version",
        parameters=[VersionQuery],
        responses={204: None, 409: None},
        tags=["scenarios"],
    )
    def destroy(self, request: Request, scenario_id: str) -> Response:
        version = query(request, VersionQuery).get("version")
        delete_scenario(tenant=tenant_of(request), scenario_id=scenario_id, version=version)
        return Response(status=204)


class ScenarioVersionsView(viewsets.ViewSet):
    """Versions of one scenario."""

    parser_classes = [FormParser]

    @extend_schema(
        summary="Make a version from another one",
        description="Of the base all is taken that is not removed or replaced; the result is checked as an upload is.",
        request={"multipart/form-data": OverlayRequest},
        responses={
            201: UploadedScenarioSerializer,
            200: OpenApiResponse(UploadedScenarioSerializer, description="There is a version with this very content."),
            413: None,
            422: None,
            503: None,
            507: None,
        },
        tags=["scenarios"],
    )
    def create(self, request: Request, scenario_id: str) -> Response:
        uploads.prepare(request)
        uploads.refuse_repeated(request.data)
        form = OverlayRequest(data=request.data)
        form.is_valid(raise_exception=True)
        asked, tenant = form.validated_data, tenant_of(request)
        scenario, is_new = add_overlay(
            tenant=tenant,
            base=_visible(request, scenario_id, asked.get("base_version")),
            changes=cast(BinaryIO, asked.get("file")),
            removed=lines_of(asked.get("remove", "")),
            save_as=asked.get("save_as", scenario_id),
            config=asked.get("config"),
        )
        return _uploaded(tenant, scenario, is_new)


class ScenarioArchiveView(viewsets.ViewSet):
    """The zip of a scenario."""

    content_negotiation_class = downloads.AnyType

    @extend_schema(
        summary="Download a scenario",
        parameters=[VersionQuery],
        responses={
            (200, "application/octet-stream"): PACKED,
            (206, "application/octet-stream"): downloads.RANGE,
            302: None,
            416: None,
            503: None,
        },
        tags=["scenarios"],
    )
    def retrieve(self, request: Request, scenario_id: str) -> HttpResponseBase:
        scenario = _find(request, scenario_id)
        save_as = f"{scenario.scenario_id}-v{scenario.version}.zip"
        return downloads.send(
            request, str(scenario.file), save_as=save_as, sha256=scenario.sha256, redirect=HttpResponseRedirect
        )


def lines_of(text: str) -> list[str]:
    """Each once, without empty ones."""
    return [line for line in dict.fromkeys(text.replace("\r\n", "\n").split("\n")) if line]


def _uploaded(tenant: Tenant, scenario: Scenario, is_new: bool) -> Response:
    return Response(
        uploaded_as_json(scenario, uses_of(tenant.pk)),
        status=201 if is_new else 200,
        headers={"Location": f"/scenarios/{scenario.scenario_id}?version={scenario.version}"},
    )


def _find(request: Request, scenario_id: str) -> Scenario:
    return _visible(request, scenario_id, query(request, VersionQuery).get("version"))


def _visible(request: Request, scenario_id: str, version: int | None) -> Scenario:
    rows = Scenario.objects.visible_to(tenant_of(request).pk).filter(scenario_id=scenario_id)
    if version is not None:
        rows = rows.filter(version=version)
    scenario = rows.best_first().first()
    if scenario is None:
        raise ApiError(404, "scenario.not_found", "You have no such scenario, or no such version of it.")
    return scenario
