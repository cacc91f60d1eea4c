"""Where an invitation's link leads: a new account, or the one that is signed in, becomes a member."""

from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from tenants import member_services
from tenants.acting import PAGES, acting
from tenants.errors import ApiError
from tenants.members import Invitation

BACKEND = "django.contrib.auth.backends.ModelBackend"


class AccountForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("username",)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Without JavaScript, and whoever has the link has the invitation: it works once."""
    token = (request.POST.get("token") or request.GET.get("token", ""))[:200]
    invitation = Invitation.objects.usable().with_token(token).first()
    if invitation is None:
        return render(request, "portal/join.html", {"invitation": None}, status=404)
    sent = request.POST if request.method == "POST" else None
    form = None if request.user.is_authenticated else AccountForm(sent)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return _joined(request, token, form)
        except ApiError:  # somebody else was faster
            return render(request, "portal/join.html", {"invitation": None}, status=404)
    context = {"invitation": invitation, "token": token, "form": form}
    return render(request, "portal/join.html", context, status=422 if form and form.errors else 200)


def _joined(request: HttpRequest, token: str, form: AccountForm | None) -> HttpResponse:
    invited = Invitation.objects.with_token(token).values_list("email", "made_by").first()
    email, host = invited or ("", "")
    name = form.cleaned_data["username"] if form else request.user.get_username()
    by = f"{name}, invited by {host}" if host else f"{name}, by an invitation"
    with acting(lambda: by, lambda: PAGES), transaction.atomic():  # no account without its place
        if form:
            # Where the account's letters go from now on: the invitation reached its owner there.
            form.instance.email = email
        user = form.save() if form else request.user
        assert isinstance(user, User)
        member = member_services.join(token=token, user=user)
    if form:
        login(request, user, backend=BACKEND)
    return redirect("portal:home", member.tenant_id)
