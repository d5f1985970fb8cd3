"""Server folders that are watched: what is put into them comes into a project by itself."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.db import models
from django.db.models.functions import Now

from secondsticks.markers import FORMATS, Format


class WatchedFolder(models.Model):
    """A folder that is looked through again and again, and where files about its clips are written.

    All that is known about its files is in rows, so that a restart neither forgets nor repeats anything.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="watched_folders")
    path = models.TextField(editable=False, help_text="With all links followed.")
    is_mount = models.BooleanField(default=False, help_text="A share was mounted on it when it was added.")
    export_to = models.TextField(blank=True, editable=False, help_text="Empty: nothing is written.")
    formats = models.JSONField(default=list, help_text="Names of formats.")
    include_unsure = models.BooleanField(default=True)
    is_paused = models.BooleanField(default=False)

    #: Who looks, as of a clip.
    queued_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    due_at = models.DateTimeField(db_default=Now(), help_text="When to look again.")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When all of it was last seen.")
    clip_count = models.PositiveIntegerField(default=0)
    sound_count = models.PositiveIntegerField(default=0)
    unsettled = models.PositiveIntegerField(default=0, help_text="Files that are still being written.")
    problem = models.TextField(blank=True)
    notes = models.JSONField(default=list, blank=True)
    exported_at = models.DateTimeField(null=True, blank=True)
    export_problem = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["project", "path"], name="a_folder_is_watched_once")]

    def __str__(self) -> str:
        return self.path

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @property
    def export_folder(self) -> Path | None:
        return Path(self.export_to) if self.export_to else None

    @property
    def export_formats(self) -> list[Format]:
        return [FORMATS[name] for name in self.formats if name in FORMATS]


class WatchedFile(models.Model):
    """A file as it was last seen in a watched folder, and whether it has been dealt with as it is."""

    watched = models.ForeignKey(WatchedFolder, models.CASCADE, related_name="files")
    path = models.TextField(help_text="From the watched folder.")
    #: As a clip's. No foreign key: what a person removed from the project must stay known here.
    location = models.TextField()
    size = models.BigIntegerField()
    mtime_ns = models.BigIntegerField()
    since = models.DateTimeField(null=True, help_text="When it was first seen as it is; empty: it is away.")
    is_taken = models.BooleanField(default=False, help_text="As it is, it became a clip or sound file.")
    exports = models.JSONField(default=list, help_text="Files about it, from the export folder.")
    #: What they say, in the words of whoever writes them; empty: write them.
    exports_say = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["watched", "path"], name="one_row_per_watched_file")]
        indexes = [models.Index(fields=["watched", "location"], name="watched_files_by_location")]

    def __str__(self) -> str:
        return self.path
