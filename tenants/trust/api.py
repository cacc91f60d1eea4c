"""POST /token: the form of OAuth's token exchange (RFC 8693), with this API's errors."""

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.errors import ApiError
from tenants.trust.exchange import LIVES_FOR, trade
from tenants.trust.tokens import MAX_TOKEN

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a type
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
MAX_BODY = 2 * MAX_TOKEN


class SmallForm(BaseParser):
    """`name=value&…`, each name once."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise ApiError(413, "too_large", f"The body is larger than {MAX_BODY} bytes.")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
        except ValueError:
            raise ParseError("It is no form.") from None
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ParseError("A name is given twice.")
        return found


class TokenRequest(serializers.Serializer):
    """Other parameters of the RFC are ignored, as it asks for."""

    grant_type = serializers.ChoiceField(choices=[EXCHANGE])
    subject_token = serializers.CharField(max_length=MAX_TOKEN, help_text="The issuer's JSON Web Token.")
    subject_token_type = serializers.ChoiceField(choices=[JWT, ID_TOKEN])
    audience = serializers.CharField(
        max_length=40, required=False, default="", help_text="The tenant, where several trust this token."
    )


class TokenAnswer(serializers.Serializer):
    """As RFC 8693 names it."""

    access_token = serializers.CharField(help_text="An API key.")
    issued_token_type = serializers.ChoiceField(choices=[ACCESS_TOKEN])
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    tenant_id = serializers.CharField()
    role = serializers.CharField()


class TokenView(APIView):
    """Trade a token of an issuer that a tenant trusts for an API key that ends in 15 minutes."""

    authentication_classes = []
    permission_classes = []
    parser_classes = [SmallForm]

    @extend_schema(
        summary="Trade an issuer's token for a key of 15 minutes",
        tags=["token"],
        request={"application/x-www-form-urlencoded": TokenRequest},
        responses={200: TokenAnswer, 401: None, 429: None, 503: None},
    )
    def post(self, request: Request) -> Response:
        try:
            asked = TokenRequest(data=request.data)
        except UnsupportedMediaType:  # elsewhere bodies are JSON
            message = "Send a form: Content-Type: application/x-www-form-urlencoded."
            raise ApiError(415, "unsupported_media_type", message) from None
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        address = request.META.get("REMOTE_ADDR", "")
        traded = trade(values["subject_token"], tenant_id=values["audience"], address=address)
        answer = {
            "access_token": traded.key,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": int(LIVES_FOR.total_seconds()),
            "tenant_id": traded.row.tenant_id,
            "role": traded.row.role,
        }
        return Response(answer)
