"""Imports, and what came with them.

A label of one of our frames becomes a version in the frame's history. A picture of no clip becomes a still: a
row of its own, for it is never in the queue, has no neighbours to flip through and no history but its import.
Frames and stills meet in `labelled.py`, from which exports and datasets are made. A still's `source` groups
it: a dataset is split by project and clip, and pictures of one source may be neighbours from one clip.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from secondsticks.labeling.work import Work, WorkState
from training.exchange.foreign import Wishes
from training.slates import State


class Step(models.TextChoices):
    """What an import is waiting for a worker to do, or what was done last."""

    READ = "read", "Read and compared"
    TAKE = "take", "Imported"
    BACK = "back", "Taken back"


class Import(Work):
    """A file that somebody brought. `report` says what would be, or was, taken over, and what not and why."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="imports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    name = models.CharField(max_length=255, help_text="Of the file.")
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=100, help_text="Where pictures of no clip are from.")
    names = models.JSONField(default=dict, help_text="Label in the file -> open or closed.")
    empty = models.BooleanField(default=False, help_text="A picture without a box has no slate.")
    step = models.CharField(max_length=4, choices=Step, default=Step.READ)
    format = models.CharField(max_length=20, blank=True)
    report = models.JSONField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def file(self) -> Path:
        return self.project.folder / "imports" / f"{self.uuid}.upload"

    @property
    def wishes(self) -> Wishes:
        return Wishes({name: State(state) for name, state in self.names.items()}, self.empty)

    @property
    def is_working(self) -> bool:
        return self.state in (WorkState.WAITING, WorkState.RUNNING)

    @property
    def can_be_taken(self) -> bool:
        taken = (self.report or {}).get("frames", 0) + (self.report or {}).get("stills", 0)
        return self.step == Step.READ and self.state == WorkState.DONE and taken > 0

    @property
    def can_be_taken_back(self) -> bool:
        return self.step == Step.TAKE and self.state == WorkState.DONE

    def go_on(self, step: Step, *, after: Step) -> bool:
        """Begin a step once the one before it is done, or again after it failed; False if neither is so."""
        ready = models.Q(step=after, state=WorkState.DONE) | models.Q(step=step, state=WorkState.FAILED)
        fresh = {"step": step, "state": WorkState.WAITING, "failures": 0, "sent_at": Now(), "error": ""}
        return Import.objects.filter(ready, pk=self.pk).update(**fresh) == 1


class FromElsewhere(models.Model):
    """What another program said, by its own names: nothing of it is lost."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="%(class)ss")
    image_id = models.CharField(max_length=500)
    file_name = models.CharField(max_length=500)
    part = models.CharField(max_length=500, help_text="File in the archive that says this.")
    box_ids = models.JSONField(default=list)
    author = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True


class ImportedLabel(FromElsewhere):
    """Where an imported version of one of our frames comes from."""

    annotation = models.OneToOneField("labeling.Annotation", models.CASCADE, related_name="imported")

    def __str__(self) -> str:
        return f"{self.file_name} of {self.batch}"


class Still(FromElsewhere):
    """A labelled picture of no clip. `boxes` as in an annotation; [] says that there is no slate."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="stills")
    source = models.CharField(max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    original_sha256 = models.CharField(max_length=64)
    picture_sha256 = models.CharField(max_length=64)
    boxes = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "original_sha256"], name="one_still_per_picture")
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def frame_key(self) -> str:
        """Of the same form as a frame's: a still is its own frame 0."""
        return f"{self.uuid}/0"
