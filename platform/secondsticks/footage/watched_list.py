"""What the settings page says about each watched folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Count, Q
from django.db.models.functions import Now

from secondsticks.footage.models import Project, WatchedFolder

#: A look that is overdue for so long means that no worker takes it.
OVERDUE = timedelta(minutes=5)


@dataclass(frozen=True)
class Shown:
    watched: WatchedFolder
    exported: int  # clips whose exports are written
    now: datetime  # the database's

    @property
    def is_waiting(self) -> bool:
        """Nobody looks, though it is time."""
        watched = self.watched
        is_held = watched.leased_until is not None and watched.leased_until > self.now
        return not (watched.is_paused or is_held) and self.now - watched.due_at > OVERDUE

    @property
    def badge(self) -> tuple[str, str]:
        """A word, and the badge's class."""
        if self.watched.is_paused:
            return "paused", "no-slate"
        if self.watched.problem or self.is_waiting:
            return "cannot look", "refused"
        if self.watched.looked_at is None:
            return "first look", "working"
        return ("exports fail", "look") if self.watched.export_problem else ("watching", "sure")

    @property
    def problems(self) -> list[str]:
        """Sentences; the footage's before those of its exports."""
        said = [self.watched.problem, self.watched.export_problem]
        if self.is_waiting:
            said.insert(0, "It is time to look again, but nobody does. Is a worker running?")
        return [] if self.watched.is_paused else [sentence for sentence in said if sentence]

    @property
    def found(self) -> str:
        watched = self.watched
        if watched.looked_at is None:
            return "Not looked through yet."
        clips = f"{watched.clip_count} clip{'s' if watched.clip_count != 1 else ''}"
        if watched.sound_count:
            clips += f", {watched.sound_count} sound file{'s' if watched.sound_count != 1 else ''}"
        unsettled = f", {watched.unsettled} still being written" if watched.unsettled else ""
        return f"Last look {_ago(watched.looked_at)}: {clips}{unsettled}."

    @property
    def exports(self) -> str:
        """Of how many clips there are exports, and since when; empty where none are wanted."""
        if not self.watched.export_to:
            return ""
        if not self.exported or self.watched.exported_at is None:
            return "None written yet: they follow the first scan."
        clips = f"{self.exported} clip{'s' if self.exported != 1 else ''}"
        return f"Written for {clips}, last {_ago(self.watched.exported_at)}."

    @property
    def formats(self) -> str:
        return ", ".join(format.title for format in self.watched.export_formats)


def of(project: Project) -> list[Shown]:
    written = Count("files", filter=~Q(files__exports=[]))
    rows = project.watched_folders.annotate(exported=written, now=Now())
    return [Shown(row, row.exported, row.now) for row in rows]


def _ago(at: datetime) -> str:
    said = str(naturaltime(at)).replace("\N{NO-BREAK SPACE}", " ")
    return "just now" if said == "now" else said
