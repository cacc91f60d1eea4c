"""`/statements`: a tenant's months, as JSON, as CSV and as a page to print."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from clusterops.usage.ledger import Statement, period_of
from clusterops.usage.statements import COLUMNS, statement
from simulations.api.callers import tenant_of
from simulations.api.downloads import AnyType
from simulations.studies.exports.tables import lines
from tenants.errors import ApiError
from tenants.plans import billing_today

PERIOD = r"20\d{2}-(?:0[1-9]|1[0-2])"
LISTED = 120  # ten years of months
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A line for each item and price.")}
HTML = {(200, "text/html"): OpenApiResponse(OpenApiTypes.STR, description="One self-contained page.")}


class LineSerializer(serializers.Serializer):
    item = serializers.CharField(help_text="cpu_hour, gib_hour, run, storage_gib_day or credit.")
    label = serializers.CharField()  # type: ignore[assignment]
    entries = serializers.IntegerField(help_text="Of the ledger.")
    counted = serializers.CharField(help_text="Exact, in counted_unit.")
    counted_unit = serializers.CharField(allow_blank=True)
    quantity = serializers.CharField(help_text="For reading, in unit.")
    unit = serializers.CharField(allow_blank=True)
    price = serializers.CharField(allow_null=True, help_text="Of one unit; null: none was agreed.")
    amount = serializers.CharField(allow_null=True)


StatementSerializer = type(
    "StatementSerializer",
    (serializers.Serializer,),
    {
        "tenant_id": serializers.CharField(),
        "period": serializers.CharField(),
        "from": serializers.DateField(),
        "to": serializers.DateField(help_text="Not part of it."),
        "time_zone": serializers.CharField(),
        "currency": serializers.CharField(),
        "lines": LineSerializer(many=True),
        "total": serializers.CharField(),
        "closed": serializers.BooleanField(help_text="It does not change any more."),
        "closed_at": serializers.DateTimeField(allow_null=True),
        "sha256": serializers.CharField(allow_null=True, help_text="Of the statement as it was closed."),
        "__doc__": "A month, as it stands or as it was closed. Amounts are texts, so that nobody rounds them.",
        "__module__": __name__,
    },
)


class ClosedSerializer(serializers.Serializer):
    period = serializers.CharField()
    total = serializers.DecimalField(max_digits=20, decimal_places=2)
    currency = serializers.CharField()
    sha256 = serializers.CharField()
    closed_at = serializers.DateTimeField()


@extend_schema_serializer(many=False)
class StatementsSerializer(serializers.Serializer):
    statements = ClosedSerializer(many=True)
    open = serializers.CharField(help_text="This month, whose statement can be read as far as it goes.")


class StatementsView(viewsets.ViewSet):
    """Of the caller."""

    @extend_schema(summary="List closed statements", responses=StatementsSerializer, tags=["usage"])
    def list(self, request: Request) -> Response:
        tenant = tenant_of(request)  # by its row: an erased one may have had its name
        rows = Statement.objects.filter(tenant=tenant)[:LISTED]
        return Response(StatementsSerializer({"statements": rows, "open": period_of(billing_today())}).data)

    @extend_schema(
        summary="A month's statement",
        description="Closed 48 hours after the month's end; until then as the ledger has it.",
        responses=StatementSerializer,
        tags=["usage"],
    )
    def retrieve(self, request: Request, period: str) -> Response:
        return Response(StatementSerializer(_statement(request, period)).data)


class StatementFilesView(viewsets.ViewSet):
    """The same as files."""

    content_negotiation_class = AnyType

    @extend_schema(summary="A month's statement as CSV", responses=CSV, tags=["usage"])
    def csv(self, request: Request, period: str) -> HttpResponseBase:
        told = _statement(request, period)
        answer = StreamingHttpResponse(lines(rows(told)), content_type="text/csv; charset=utf-8")
        return _saved(answer, f"statement-{period}.csv")

    @extend_schema(summary="A month's statement to print", responses=HTML, tags=["usage"])
    def html(self, request: Request, period: str) -> HttpResponseBase:
        return _saved(page(_statement(request, period)), f"statement-{period}.html")


def _statement(request: Request, period: str) -> dict[str, Any]:
    if period > period_of(billing_today()):
        raise ApiError(404, "statement.not_yet", f"{period} has not begun; there is nothing to state.")
    return statement(tenant_of(request).pk, period)


def rows(told: dict[str, Any]) -> Iterator[list[Any]]:
    """As a table, with its head; the total is the last line."""
    yield ["tenant_id", "period", "currency", *COLUMNS]
    before = [told["tenant_id"], told["period"], told["currency"]]
    for line in told["lines"]:
        yield [*before, *(line[name] for name in COLUMNS)]
    yield [*before, "total", *[""] * (len(COLUMNS) - 2), told["total"]]


def page(told: dict[str, Any]) -> HttpResponse:
    """One file that needs nothing else, made for printing."""
    lines = [{**line, "price": _short(line["price"]), "amount": _short(line["amount"], 2)} for line in told["lines"]]
    context = {"told": told, "lines": lines, "policy": POLICY, "made_at": timezone.now()}
    text = render_to_string("usage/statement.html", context)
    answer = HttpResponse(text, content_type="text/html; charset=utf-8")
    answer["Content-Security-Policy"] = f"{POLICY}; sandbox"
    return answer


def _short(text: str | None, places: int | None = None) -> str | None:
    """For reading: to so many places, or without the zeros at its end but for two."""
    if text is None:
        return None
    needed = len(text.partition(".")[2].rstrip("0"))
    return f"{Decimal(text):.{max(2, needed) if places is None else places}f}"


def _saved(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
