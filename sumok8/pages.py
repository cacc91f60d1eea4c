"""The page that belongs to no room: the front door."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tenants.members import Member


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Everybody's place: a member's tenant, the staff's dashboard; for others what this is and where to go."""
    if not request.user.is_authenticated:
        return render(request, "sumok8/front.html")
    seats = Member.objects.places_of(request.user)
    if request.user.is_staff and not seats:
        return redirect("cluster:overview")
    if len(seats) == 1 and not request.user.is_staff:
        return redirect("portal:home", seats[0].tenant_id)
    return render(request, "sumok8/front.html", {"seats": seats, "places": seats})
