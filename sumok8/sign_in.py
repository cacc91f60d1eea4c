"""The sign-in: one page for everybody, and the admin's own form."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpResponse
from django.urls import reverse_lazy

from tenants import throttling
from tenants.accounts import letters, password_turns
from tenants.accounts.models import PersonSession


def provider() -> str:
    """What the identity provider is called on buttons that lead there; empty where there is none."""
    return settings.OIDC_NAME if settings.OIDC_ISSUER else ""


class Bounded:
    """Django's own form tells browsers how long a name may be but takes any, and the lock-out stores what it is given.
    It checks as many passwords at a time as there are threads, and of one address as many as there are names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        form: Any = self
        form.fields["username"].validators.append(MaxLengthValidator(form.username_field.max_length or 150))

    def clean(self) -> Any:
        form: Any = self
        bucket = f"password:{throttling.bucket_of_address(form.request.META.get('REMOTE_ADDR', ''))}"
        limit = throttling.of_failed_keys()
        if limit and not throttling.count(bucket, limit).allowed:
            raise ValidationError("Too many sign-ins from your address; try again in a minute.", code="too_many")
        with password_turns.turn():
            return super().clean()  # type: ignore[misc] # of the form that this is mixed into


class SignInForm(Bounded, AdminAuthenticationForm):
    """For staff, at the admin's door."""


class EverybodysForm(Bounded, AuthenticationForm):
    """For members and staff."""


class SignInView(LoginView):
    """`/` then leads each to their place, unless they came from elsewhere."""

    authentication_form = EverybodysForm
    template_name = "sumok8/sign_in.html"
    next_page = "front"
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Not this page itself: for who is signed in already Django raises an error then."""
        wanted = super().get_success_url()
        return self.get_default_redirect_url() if wanted.partition("?")[0] == self.request.path else wanted

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"provider": provider(), "mails": letters.can_be_sent()}


class SignOutView(LogoutView):
    next_page = "front"


class PasswordForm(PasswordChangeForm):
    def clean_old_password(self) -> str:
        with password_turns.turn():
            return super().clean_old_password()


class PasswordView(PasswordChangeView):
    """All other sessions of the account end with it."""

    form_class = PasswordForm
    template_name = "sumok8/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "The password is changed; you are signed out everywhere else.")
        answer = super().form_valid(form)
        PersonSession.objects.end(form.user, but=self.request.session.session_key)
        return answer
