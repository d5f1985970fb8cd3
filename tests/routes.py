"""Who may call which address how: the form of the tables that each app keeps in its tests/<app>/routes.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: From nobody to everybody; each may do what those before it may. `outsider` is signed in, but no member.
PEOPLE = ("anonymous", "outsider", "annotator", "lead", "admin", "site_admin")


@dataclass(frozen=True)
class Route:
    """One address: its name, the least person who may use it (per method, if they differ), and how.

    `args` name things of the world (see test_permissions.py) whose ids stand in the address. `only` names
    the one person who may, where no role is enough. `ok` are the answers to somebody who may.
    """

    name: str
    needs: str | dict[str, str] = "anonymous"
    only: str = ""
    methods: tuple[str, ...] = ("GET", "HEAD")
    args: tuple[str, ...] = ()
    ok: tuple[int, ...] = (200, 204, 302)
    otherwise: tuple[int, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json: bool = False  # `form` is sent as JSON

    def lets(self, person: str, method: str) -> bool:
        if self.only:
            return person == self.only
        needed = self.needs if isinstance(self.needs, str) else self.needs[method]
        return PEOPLE.index(person) >= PEOPLE.index(needed)


# Django's own views for signing in and out: they answer PUT and OPTIONS, and send on who is signed in.
SITE_ROUTES = [
    Route("healthz"),
    Route("readyz"),
    Route("sign-in", methods=("GET", "HEAD", "POST", "PUT", "OPTIONS"), otherwise=(302,)),
    Route("sign-out", methods=("POST", "OPTIONS")),
]
