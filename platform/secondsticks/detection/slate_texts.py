"""What is written on slates: the setting that asks for it, what was read by machine, what people say."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from training.slate_text.fields import FIELDS


class SlateTextSetting(models.Model):
    """Whether the text on a project's slates is read. Off without a row."""

    project = models.OneToOneField("footage.Project", models.CASCADE, related_name="slate_text_setting")
    is_on = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.project}: slates are {'' if self.is_on else 'not '}read"


class ReadingState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class SlateReading(models.Model):
    """One reading of a scan's sharpest slate. `attempt` is the fencing token of whoever works on it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scan = models.OneToOneField("detection.Scan", models.CASCADE, related_name="slate_reading")
    state = models.CharField(max_length=8, choices=ReadingState, default=ReadingState.QUEUED)
    fields = models.JSONField(default=dict, help_text="Field -> text and confidence.")
    lines = models.JSONField(default=list, help_text="All that was read: text, score, corners.")
    upside_down = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state", "sent_at"],
                condition=Q(state__in=["queued", "running"]),
                name="slate_readings_under_way",
            )
        ]

    def __str__(self) -> str:
        return f"reading of {self.scan} ({self.state})"

    @property
    def is_under_way(self) -> bool:
        return self.state in (ReadingState.QUEUED, ReadingState.RUNNING)


class SlateText(models.Model):
    """What a person says is written on a clip's slate. Rows are only ever added; the last one stands.

    `suggested` is what the machine had read when the person said so.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clip = models.ForeignKey("footage.Clip", models.CASCADE, related_name="slate_texts")
    reading = models.ForeignKey(
        SlateReading, models.SET_NULL, null=True, blank=True, related_name="slate_texts"
    )
    number = models.PositiveIntegerField()
    scene = models.CharField(max_length=32, blank=True)
    take = models.CharField(max_length=32, blank=True)
    roll = models.CharField(max_length=32, blank=True)
    camera = models.CharField(max_length=32, blank=True)
    suggested = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150, help_text="Stays when the account goes.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["clip", "number"], name="slate_texts_in_a_row"),
        ]

    def __str__(self) -> str:
        return f"{self.by_name}: {self.in_words}"

    @property
    def fields(self) -> dict[str, str]:
        """Field -> text, of those that are not empty."""
        return {name: text for name in FIELDS if (text := getattr(self, name))}

    @property
    def in_words(self) -> str:
        return in_words(self.fields)

    @property
    def is_as_read(self) -> bool:
        """Whether the person took what the machine had read."""
        return bool(self.suggested) and self.fields == texts_of(self.suggested)


def texts_of(read: dict[str, Any]) -> dict[str, str]:
    """Field -> text, from a reading's fields in their usual order."""
    return {name: str(read[name]["text"]) for name in FIELDS if name in read}


def in_words(fields: dict[str, str]) -> str:
    """`scene 12A, take 3`; "nothing" of none."""
    return ", ".join(f"{name} {text}" for name, text in fields.items()) or "nothing"
