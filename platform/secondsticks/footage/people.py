"""Accounts: a site admin adds people and gives new passwords; everybody changes their own."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.contrib.auth import get_user_model, views
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from secondsticks.footage.forms import PersonForm
from secondsticks.footage.permissions import SignedInRequest, site_admin_required

#: Without letters and digits that look alike: somebody may have to type it from a piece of paper.
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def one_time_password() -> str:
    """Return four groups of four letters: 93 bits."""
    return "-".join("".join(secrets.choice(PASSWORD_LETTERS) for _ in range(4)) for _ in range(4))


@site_admin_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: SignedInRequest) -> HttpResponse:
    """List the accounts, and add one. The new password is shown in the answer, and nowhere ever again."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = one_time_password()
        form.instance.set_password(password)
        return _page(request, PersonForm(), person=form.save(), password=password)
    return _page(request, form)


@site_admin_required
@never_cache
@require_POST
def new_password(request: SignedInRequest, person: int) -> HttpResponse:
    """Give somebody a new password; their sessions end."""
    found = get_object_or_404(get_user_model(), pk=person, is_superuser=False)
    password = one_time_password()
    found.set_password(password)
    found.save(update_fields=["password"])
    return _page(request, PersonForm(), person=found, password=password)


def _page(
    request: SignedInRequest, form: PersonForm, *, person: User | None = None, password: str = ""
) -> HttpResponse:
    accounts = User.objects.order_by("username").prefetch_related("memberships__project")
    shown = {"form": form, "accounts": accounts, "person": person, "password": password}
    return render(request, "footage/people.html", shown, status=422 if form.errors else 200)


class ChangePassword(views.PasswordChangeView):
    template_name = "footage/password.html"
    success_url = reverse_lazy("footage:projects")

    def form_valid(self, form) -> HttpResponse:
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)


change_password = require_http_methods(["GET", "HEAD", "POST"])(
    sensitive_post_parameters()(never_cache(ChangePassword.as_view()))
)
