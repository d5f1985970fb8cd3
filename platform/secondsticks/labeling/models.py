"""What people say about frames: the queue, their annotations (only ever added to), and their drafts."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from secondsticks.labeling.derivations import Derivation as Derivation
from secondsticks.labeling.exchange.rows import Import as Import
from secondsticks.labeling.exchange.rows import ImportedLabel as ImportedLabel
from secondsticks.labeling.exchange.rows import Still as Still
from secondsticks.labeling.label_studio.links import LabelStudioAnswer as LabelStudioAnswer
from secondsticks.labeling.label_studio.links import LabelStudioLink as LabelStudioLink
from secondsticks.labeling.label_studio.links import LabelStudioTask as LabelStudioTask
from secondsticks.labeling.work import Work


class FrameState(models.TextChoices):
    WAITING = "waiting"
    LABELLED = "labelled"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"  # no longer worth asking; comes back when a later batch chooses it
    UNREADABLE = "unreadable"  # damaged in the file: never asked about


class SkipReason(models.TextChoices):
    UNSURE = "unsure", "I cannot tell open from closed"
    BLURRED = "blurred", "Too blurred or too dark"
    HIDDEN = "hidden", "The slate is hidden or cut off"
    DAMAGED = "damaged", "The picture is damaged"
    OTHER = "other", "Something else"


class Origin(models.TextChoices):
    """How an annotation came to be, seen from the proposals of the champion."""

    ACCEPTED = "accepted", "Proposal accepted unchanged"
    CHANGED = "changed", "Proposal changed"
    DRAWN = "drawn", "Drawn"
    DERIVED = "derived", "Derived from a decision about the clip"
    IMPORTED = "imported", "Imported"
    LABEL_STUDIO = "label studio", "Label Studio"
    SKIPPED = "skipped", "Skipped"


class Strategy(models.TextChoices):
    """How batches are chosen: as in `training.uncertainty`, which the web process does not load."""

    DIVERSE = "diverse", "The most uncertain, unlike each other"
    UNCERTAIN = "uncertain", "The most uncertain"
    ONE_PER_CLIP = "one per clip", "One of each clip, by chance"
    RANDOM = "random", "By chance"


class QueuedFrame(models.Model):
    """A frame that people are asked about, or have said something about. Boxes are in pixels of its picture.

    `opinions` people are asked; `people` are those whose word counts now (ids: the queue needs no join).
    `rank` is its place in the queue, smallest first. `leased_to` has it open until `leased_until`, by the
    database's clock, and may save with `lease_token`. `version` is the number of its newest annotation;
    `standing` is the annotation that holds.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="queued_frames")
    clip = models.ForeignKey("footage.Clip", models.CASCADE, related_name="queued_frames")
    frame = models.PositiveIntegerField()
    pts = models.BigIntegerField()
    timecode = models.CharField(max_length=16)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    picture_sha256 = models.CharField(max_length=64, blank=True, help_text="Empty: not in the store yet.")

    state = models.CharField(max_length=10, choices=FrameState, default=FrameState.WAITING)
    rank = models.FloatField(default=0)
    batch = models.PositiveIntegerField(null=True, blank=True)
    worth = models.FloatField(default=0)
    reasons = models.JSONField(default=list)
    why = models.CharField(max_length=20, blank=True, help_text="uncertain, random, …")
    appearance = models.PositiveIntegerField(null=True, blank=True)
    proposals = models.JSONField(default=list, help_text="Of the champion: x, y, w, h, state, score.")
    checkpoint = models.ForeignKey(
        "detection.Checkpoint", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    opinions = models.PositiveSmallIntegerField(default=1)
    people = ArrayField(models.BigIntegerField(), default=list, blank=True)
    version = models.PositiveIntegerField(default=0)
    standing = models.ForeignKey("Annotation", models.SET_NULL, null=True, blank=True, related_name="+")

    leased_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clip", "frame"], name="one_queued_frame_per_frame"),
            models.CheckConstraint(
                name="waiting_frames_have_a_picture",
                condition=~Q(state=FrameState.WAITING) | ~Q(picture_sha256=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "rank", "id"],
                condition=Q(state=FrameState.WAITING),
                name="frames_to_label",
            ),
            models.Index(fields=["leased_to"], condition=Q(leased_to__isnull=False), name="frames_leased"),
            models.Index(fields=["project", "state"], name="frames_by_state"),
        ]

    def __str__(self) -> str:
        return f"frame {self.frame} ({self.state})"

    @property
    def frame_key(self) -> str:
        """Names the frame everywhere: in the store, in exports, in Label Studio."""
        return f"{self.clip.uuid}/{self.frame}"

    @property
    def picture_key(self) -> str:
        return picture_key(self.frame_key)


def picture_key(frame_key: str) -> str:
    """Where the picture of a frame lies in the store."""
    return f"frames/{frame_key}.jpg"


class Annotation(models.Model):
    """One version of what is said about a frame. Rows are only ever added; `number` counts them from 1.

    `boxes` are [{x, y, w, h, state}] in pixels; [] says that there is no slate here; None says nothing (a
    skip, or an undo of all that its author had said). An undo is a row with what holds again for its author.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="annotations")
    frame = models.ForeignKey(QueuedFrame, models.CASCADE, related_name="annotations")
    number = models.PositiveIntegerField()
    made_on = models.PositiveIntegerField(help_text="The version its author had seen.")
    boxes = models.JSONField(null=True)
    origin = models.CharField(max_length=12, choices=Origin)
    skip_reason = models.CharField(max_length=8, choices=SkipReason, blank=True)
    undoes = models.OneToOneField("self", models.RESTRICT, null=True, blank=True, related_name="undone_by")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="annotations")
    by_name = models.CharField(max_length=150, help_text="Stays when the account goes.")
    at = models.DateTimeField(db_default=Now())
    seconds = models.FloatField(null=True, blank=True, help_text="How long its author looked at the frame.")
    key = models.CharField(max_length=120, help_text="Chosen by the page, so that a double click is one.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["frame", "number"], name="annotations_in_a_row"),
            models.UniqueConstraint(fields=["frame", "key"], name="one_annotation_per_key"),
        ]
        indexes = [models.Index(fields=["project", "at"], name="annotations_over_time")]

    def __str__(self) -> str:
        return f"{self.by_name}: version {self.number} ({self.origin})"

    @property
    def says_something(self) -> bool:
        return self.boxes is not None or bool(self.skip_reason)


class Draft(models.Model):
    """What somebody has drawn and not saved yet; a box in it may still lack its state."""

    frame = models.ForeignKey(QueuedFrame, models.CASCADE, related_name="drafts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    boxes = models.JSONField()
    made_on = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["frame", "person"], name="one_draft_per_person")]

    def __str__(self) -> str:
        return f"draft of {self.person}"


def share(default: float) -> models.FloatField:
    return models.FloatField(default=default, validators=[MinValueValidator(0), MaxValueValidator(1)])


class LabelingSettings(models.Model):
    """How a project labels. A project without a row has the defaults."""

    project = models.OneToOneField("footage.Project", models.CASCADE, related_name="labeling_settings")
    strategy = models.CharField(max_length=12, choices=Strategy, default=Strategy.DIVERSE)
    batch_size = models.PositiveIntegerField(
        default=50, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    random_share = share(0.15)
    second_opinion_share = share(0)
    second_opinions = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(2), MaxValueValidator(5)]
    )
    lease_minutes = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )

    #: A new champion is to look at the clips again, and the queue is then chosen anew.
    rescore_asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"labelling in {self.project}"

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.lease_minutes)

    @classmethod
    def of(cls, project_id: int) -> LabelingSettings:
        """A project's settings, or the defaults (not saved)."""
        return cls.objects.filter(project_id=project_id).first() or cls(project_id=project_id)


class ClipDoubts(Work):
    """What a clip's scan leaves in doubt: the frames worth asking about, and hashes of their pictures."""

    clip = models.OneToOneField("footage.Clip", models.CASCADE, related_name="doubts")
    scan = models.ForeignKey("detection.Scan", models.CASCADE, related_name="+")
    worths = models.JSONField(default=list)
    hashes = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"doubts about {self.clip}"


class Batch(Work):
    """Frames chosen at once, and brought into the queue: [clip uuid, frame, why, worth] in the order to ask.

    One that `replaces` takes frames that wait from earlier ones out of the queue, unless it chose them too.
    """

    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    replaces = models.BooleanField(default=False)
    chosen = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="batches_in_a_row")]

    def __str__(self) -> str:
        return f"batch {self.number} of {self.project}"
