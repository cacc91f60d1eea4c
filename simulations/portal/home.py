"""A tenant's home."""

from django.http import HttpRequest, HttpResponse

from simulations.portal.access import Seat, member_page, show


@member_page()
def home(request: HttpRequest, seat: Seat) -> HttpResponse:
    return show(request, seat, "portal/home.html")
