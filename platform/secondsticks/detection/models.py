"""What the champion sees: checkpoints, scans, detections and claps."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from secondsticks.detection.moves import MOVES, ScanState
from secondsticks.detection.slate_texts import SlateReading as SlateReading
from secondsticks.detection.slate_texts import SlateText as SlateText
from secondsticks.detection.slate_texts import SlateTextSetting as SlateTextSetting
from secondsticks.detection.sound_links import LinkDue as LinkDue
from secondsticks.detection.sound_links import SoundLink as SoundLink
from training.claps.claps import Verdict

#: How long a worker may stay silent before another may take its scan over, by the database's clock.
LEASE = timedelta(seconds=20)
#: After this many failures of ours (workers that died among them), a scan is given up and says so.
MOST_FAILURES = 3

VERDICTS = [(verdict.value, "MOS" if verdict is Verdict.MOS else verdict.value) for verdict in Verdict]


class Checkpoint(models.Model):
    """Weights with their sha256 and a card that says where they come from."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    architecture = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    path = models.CharField(
        max_length=1000, help_text="The weights; empty for the checkpoint we ship.", blank=True
    )
    card = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    project = models.ForeignKey(
        "footage.Project", models.CASCADE, null=True, blank=True, related_name="checkpoints",
        help_text="Empty for a checkpoint of all projects.",
    )  # fmt: skip
    is_champion = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_champion"],
                condition=Q(is_champion=True, project__isnull=True),
                name="one_global_champion",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(is_champion=True, project__isnull=False),
                name="one_champion_per_project",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.short_sha})"

    @property
    def short_sha(self) -> str:
        return self.sha256[:12]

    @property
    def is_shipped(self) -> bool:
        return not self.path


class Scan(models.Model):
    """One reading of one clip by one checkpoint. `attempt` is the fencing token of whoever works on it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clip = models.ForeignKey("footage.Clip", models.CASCADE, related_name="scans")
    is_current = models.BooleanField(default=True)
    is_quiet = models.BooleanField(default=False, help_text="Becomes the current one when it is done.")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, null=True, blank=True, related_name="scans")
    state = models.CharField(max_length=10, choices=ScanState.choices, default=ScanState.QUEUED)
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    verdict = models.CharField(max_length=10, choices=VERDICTS, blank=True)
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)
    nothing_seen = models.JSONField(default=list, help_text="Frames without a detection: number, seconds.")
    slate_spans = models.JSONField(default=list, help_text="Runs of frames with a slate: state, first, last.")
    warnings = models.JSONField(default=list, help_text="Sentences about the file that the scan added.")
    is_tail = models.BooleanField(default=False, help_text="All claps lie near the end of the clip.")
    av_offset_ms = models.FloatField(null=True, blank=True, help_text="How much later the sound is.")
    heard = models.JSONField(default=list, help_text="Claps that were heard and not seen.")
    slate_picture = models.CharField(max_length=200, blank=True, help_text="The sharpest closed slate.")
    slate_frame = models.PositiveIntegerField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clip"], condition=Q(is_current=True), name="one_current_scan_per_clip"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "sent_at"],
                condition=Q(state__in=["queued", "running"]),
                name="scans_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"scan {self.uuid} ({self.state})"

    @property
    def is_under_way(self) -> bool:
        return self.state in (ScanState.QUEUED, ScanState.RUNNING)

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0

    def move(self, to: ScanState, *, token: int | None = None, **fields: object) -> bool:
        """Compare-and-set to another state; False when the row has moved on or the token is old."""
        origins = [state for state, targets in MOVES.items() if to in targets]
        rows = Scan.objects.filter(pk=self.pk, state__in=origins)
        if token is not None:
            rows = rows.filter(attempt=token)
        return rows.update(state=to, **fields) == 1

    def renew(self, token: int, **progress: object) -> bool:
        """Prolong the lease and store progress; False when the scan is no longer this worker's."""
        ours = Scan.objects.filter(pk=self.pk, state=ScanState.RUNNING, attempt=token)
        return ours.update(lease_expires_at=Now() + LEASE, **progress) == 1


class Detection(models.Model):
    """A box with a state and a score in one frame, in pixels of the picture as shown."""

    scan = models.ForeignKey(Scan, models.CASCADE, related_name="detections")
    frame = models.PositiveIntegerField()
    pts = models.BigIntegerField()
    seconds = models.FloatField(help_text="From the first frame.")
    x = models.FloatField()
    y = models.FloatField()
    w = models.FloatField()
    h = models.FloatField()
    state = models.CharField(max_length=6, choices=[("open", "open"), ("closed", "closed")])
    score = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["scan", "frame"], name="detections_of_a_frame")]

    def __str__(self) -> str:
        return f"{self.state} {self.score:.2f} in frame {self.frame}"


class Clap(models.Model):
    """The first frame in which an open slate has become closed."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scan = models.ForeignKey(Scan, models.CASCADE, related_name="claps")
    frame = models.PositiveIntegerField()
    last_open = models.PositiveIntegerField(help_text="The last frame in which the slate was seen open.")
    timecode = models.CharField(max_length=16)
    seconds = models.FloatField(help_text="From the first frame.")
    confidence = models.FloatField()
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    w = models.FloatField(null=True, blank=True)
    h = models.FloatField(null=True, blank=True)
    picture = models.CharField(max_length=200, blank=True, help_text="File name beside the scan's pictures.")
    open_picture = models.CharField(max_length=200, blank=True)
    picture_confidence = models.FloatField(null=True, blank=True)
    sound_confidence = models.FloatField(null=True, blank=True)
    sample = models.BigIntegerField(null=True, blank=True, help_text="From the start of the first frame.")
    sample_rate = models.PositiveIntegerField(null=True, blank=True)
    disagreement_ms = models.FloatField(null=True, blank=True, help_text="Negative: the sound comes first.")

    class Meta:
        ordering = ["frame"]
        constraints = [models.UniqueConstraint(fields=["scan", "frame"], name="one_clap_per_frame")]

    def __str__(self) -> str:
        return f"clap at {self.timecode}"

    @property
    def percent(self) -> int:
        return round(self.confidence * 100)


class DecisionKind(models.TextChoices):
    ACCEPT = "accept"
    MOVE = "move"
    ADD = "add"
    REJECT = "reject"
    MOS = "mos", "MOS"
    NO_SLATE = "no slate"
    UNDO = "undo"


class Decision(models.Model):
    """What a person said about a clip. Rows are only ever added; `number` counts them from 1 per clip.

    `clap` is the uuid of a Clap, or of the decision that added one. Frames are kept here, so that a
    decision stands whatever later scans say.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clip = models.ForeignKey("footage.Clip", models.CASCADE, related_name="decisions")
    scan = models.ForeignKey(Scan, models.RESTRICT, null=True, related_name="decisions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=DecisionKind)
    clap = models.UUIDField(null=True, blank=True)
    frame_before = models.PositiveIntegerField(null=True, blank=True)
    frame_after = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="Of `frame_after`, from the first frame.")
    undoes = models.OneToOneField("self", models.RESTRICT, null=True, blank=True, related_name="undone_by")
    by = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150, help_text="Stays when the account goes.")
    at = models.DateTimeField(db_default=Now())
    key = models.CharField(max_length=80, help_text="Chosen by the page, so that a double click is one.")
    batch = models.UUIDField(null=True, blank=True, db_index=True, help_text="Of a bulk accept.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["clip", "number"], name="decisions_in_a_row"),
            models.UniqueConstraint(fields=["clip", "key"], name="one_decision_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.by_name}: {self.kind}"


class StandingVerdict(models.Model):
    """The verdict of a clip that people have decided on: from `standing`, kept for the board's counts."""

    clip = models.OneToOneField("footage.Clip", models.CASCADE, related_name="standing_verdict")
    verdict = models.CharField(max_length=10, choices=VERDICTS, blank=True)
    is_confirmed = models.BooleanField(default=False)
    is_tail = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.verdict}{' (confirmed)' if self.is_confirmed else ''}"
