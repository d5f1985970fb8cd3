"""What the champion sees: checkpoints, scans, detections and claps."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from secondsticks.detection.moves import MOVES, ScanState
from training.claps import Verdict

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
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, null=True, blank=True, related_name="scans")
    state = models.CharField(max_length=10, choices=ScanState.choices, default=ScanState.QUEUED)
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    verdict = models.CharField(max_length=10, choices=VERDICTS, blank=True)
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)
    slate_spans = models.JSONField(default=list, help_text="Runs of frames with a slate: state, first, last.")
    warnings = models.JSONField(default=list, help_text="Sentences about the file that the scan added.")
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

    class Meta:
        ordering = ["frame"]
        constraints = [models.UniqueConstraint(fields=["scan", "frame"], name="one_clap_per_frame")]

    def __str__(self) -> str:
        return f"clap at {self.timecode}"

    @property
    def percent(self) -> int:
        return round(self.confidence * 100)
