"""A person's own account: where it is signed in, its mail address, a new password where the old one is forgotten."""

from typing import Any

from axes.utils import reset as unlock
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.http import require_http_methods, require_POST

from tenants.accounts import letters, password_turns
from tenants.accounts.agents import in_words
from tenants.accounts.models import PersonSession
from tenants.members import Member

OFTEN = "You have asked several times already; wait a few minutes."


def origin_of(request: HttpRequest) -> str:
    """Where links in letters lead: where the asker came, which ALLOWED_HOSTS bounds."""
    return f"{request.scheme}://{request.get_host()}"


class AddressForm(forms.Form):
    """With the password: who finds a browser open must not be able to take the account along."""

    email = forms.EmailField(label="New mail address", max_length=254)
    password = forms.CharField(
        label="Your password", max_length=128, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, user: User, *args: Any) -> None:
        super().__init__(*args)
        self.user = user

    def clean_password(self) -> None:
        with password_turns.turn():
            if not self.user.check_password(self.cleaned_data["password"]):
                raise forms.ValidationError("That is not your password.")


class ForgottenForm(forms.Form):
    email = forms.EmailField(label="Mail address", max_length=254)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The page; its form asks for another mail address."""
    user = request.user
    assert isinstance(user, User)
    form = None
    if letters.can_be_sent() and user.has_usable_password():
        form = AddressForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form and form.is_valid():
        email = form.cleaned_data["email"]
        if letters.ask_for_address(user=user, email=email, origin=origin_of(request)):
            messages.success(request, f"A letter is on its way to {email}; the link in it makes it your address.")
            return redirect("account")
        form.add_error(None, OFTEN)
    rows = PersonSession.objects.open_of(user)
    context = {
        "form": form,
        "sessions": [(row, in_words(row.agent), row.session_key == request.session.session_key) for row in rows],
        "places": Member.objects.places_of(user),
    }
    return render(request, "sumok8/account.html", context, status=422 if form and form.errors else 200)


@login_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """One of one's own, or all but this one."""
    user = request.user
    assert isinstance(user, User)
    wanted = request.POST.get("session", "")
    if wanted == "others":
        ended = PersonSession.objects.end(user, but=request.session.session_key)
    else:
        found = [row for row in PersonSession.objects.filter(user=user) if row.handle == wanted]
        if not found:
            raise Http404
        ended = PersonSession.objects.filter(pk=found[0].pk).delete()[0]
    messages.success(request, "That session is ended." if ended == 1 else f"{ended} sessions are ended.")
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Where the letter to a new mail address leads. By a button: mail servers open links by themselves."""
    token = (request.POST.get("token") or request.GET.get("token", ""))[:1000]
    found = letters.address_of(token)
    if found is None:
        return render(request, "sumok8/address.html", {"found": None}, status=404)
    user, email = found
    if request.method == "POST":
        User.objects.filter(pk=user.pk).update(email=email)
        messages.success(request, f"Letters to {user.get_username()} go to {email} now.")
        return redirect("account")
    return render(request, "sumok8/address.html", {"found": found, "token": token, "email": email, "whose": user})


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """The same answer whether there is such an account or not."""
    if not letters.can_be_sent():
        raise Http404
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    status, asked = 200, False
    if request.method == "POST" and form.is_valid():
        email, caller = form.cleaned_data["email"], request.META.get("REMOTE_ADDR", "")
        asked = letters.ask_for_password(email=email, origin=origin_of(request), caller=caller)
        if not asked:
            form.add_error(None, OFTEN)
            status = 429
    elif form.errors:
        status = 422
    return render(request, "sumok8/forgotten.html", {"form": form, "asked": asked}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Where the letter leads: a password, and then the sign-in. It works once, and ends all sessions."""
    sent = request.POST if request.method == "POST" else request.GET
    who, token = sent.get("who", "")[:50], sent.get("token", "")[:100]
    user = _owner(who, token)
    if user is None:
        return render(request, "sumok8/new_password.html", {"form": None}, status=404)
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        PersonSession.objects.end(user)
        unlock(username=user.get_username())
        messages.success(request, "The password is changed. Sign in with it.")
        return redirect("sign-in")
    context = {"form": form, "who": who, "token": token, "whose": user}
    return render(request, "sumok8/new_password.html", context, status=422 if form.errors else 200)


def _owner(who: str, token: str) -> User | None:
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(who)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    usable = user is not None and user.has_usable_password() and default_token_generator.check_token(user, token)
    return user if usable else None
