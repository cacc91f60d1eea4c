"""Who may look: staff."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

View = Callable[..., HttpResponseBase]


def staff_page(view: View) -> View:
    """Signed out: to the admin's sign-in, and back. Signed in, but no staff: 403. Read-only, never cached."""
    return never_cache(staff_data(view))


def staff_data(view: View) -> View:
    """The same for data that says itself how it may be cached."""
    return require_safe(_for_staff(view))


def staff_action(*permissions: str) -> Callable[[View], View]:
    """A form's POST, for staff who hold all of the permissions."""

    def guarded(view: View) -> View:
        return never_cache(require_POST(_for_staff(view, permissions)))

    return guarded


def _for_staff(view: View, permissions: tuple[str, ...] = ()) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not request.user.is_active or not request.user.is_staff or not request.user.has_perms(permissions):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
