"""Where programs learn how people sign in: OAuth's metadata of a protected resource (RFC 9728)."""

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def show(request: HttpRequest) -> JsonResponse:
    """The command line signs in at that issuer by the device flow, as the public client `device_client_id`, and trades
    its token at /token. Not there where API keys are all that is taken."""
    if not (settings.OIDC_ISSUER and settings.OIDC_DEVICE_CLIENT_ID):
        raise Http404
    return JsonResponse(
        {
            "resource": request.build_absolute_uri("/").rstrip("/"),
            "authorization_servers": [settings.OIDC_ISSUER],
            "scopes_supported": settings.OIDC_SCOPES.split(),
            "bearer_methods_supported": ["header"],
            "device_client_id": settings.OIDC_DEVICE_CLIENT_ID,
        }
    )
