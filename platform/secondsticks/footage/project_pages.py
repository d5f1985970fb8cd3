"""The pages of a project. Apps to the right add theirs when they are ready; we know none of them."""

from __future__ import annotations

from dataclasses import dataclass

from secondsticks.footage.models import Role


@dataclass(frozen=True)
class ProjectPage:
    """`route`: the name of an address that takes the project's uuid."""

    title: str
    route: str
    role: Role = Role.ANNOTATOR


#: Tabs on top of every page of a project, and what else its settings page leads to.
TABS: list[ProjectPage] = []
SETTINGS: list[ProjectPage] = []
