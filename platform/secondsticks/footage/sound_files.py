"""A sound recorder's files in a project: the row, and what is read of them."""

from __future__ import annotations

import uuid
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from training.sound import files
from training.timecode import TimecodeError, timecode_at

if TYPE_CHECKING:
    from training.sound.transients import Transient


class SoundFileState(models.TextChoices):
    UPLOADED = "uploaded", "Waiting"
    READING = "reading", "Being read"
    READY = "ready", "Ready"
    REFUSED = "refused", "Refused"


class SoundFile(models.Model):
    """One WAV or Broadcast WAV file from a sound recorder. The file is never written to."""

    class Origin(models.TextChoices):
        UPLOAD = "upload", "Upload"
        FOLDER = "folder", "Server folder"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("footage.Project", models.CASCADE, related_name="sound_files")
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=8, choices=Origin)
    #: As of a clip: relative to our home if the file is ours, absolute in a server folder.
    location = models.TextField(editable=False)
    size = models.BigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False, help_text="As a clip's.")

    state = models.CharField(max_length=10, choices=SoundFileState, default=SoundFileState.UPLOADED)
    message = models.TextField(blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    sample_rate = models.PositiveIntegerField(null=True, blank=True)
    channels = models.PositiveSmallIntegerField(null=True, blank=True)
    bits = models.PositiveSmallIntegerField(null=True, blank=True)
    floating = models.BooleanField(default=False)
    samples = models.BigIntegerField(null=True, blank=True, help_text="Of one channel.")
    #: Samples from midnight to the first one; a decimal, because the file has 64 bits without a sign for it.
    time_reference = models.DecimalField(max_digits=20, decimal_places=0, null=True, blank=True)
    timecode_rate = models.CharField(max_length=20, blank=True, help_text="As 24000/1001.")
    drop_frame = models.BooleanField(null=True, blank=True)
    description = models.CharField(max_length=256, blank=True)
    recorded_at = models.CharField(max_length=40, blank=True)
    scene = models.CharField(max_length=200, blank=True)
    take = models.CharField(max_length=200, blank=True)
    tape = models.CharField(max_length=200, blank=True)
    heard = models.JSONField(default=list, blank=True, help_text="Sounds that may be claps.")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "location"], name="one_sound_file_per_file"),
            models.CheckConstraint(
                name="ready_sound_files_are_known",
                condition=~models.Q(state="ready")
                | models.Q(sample_rate__gt=0, channels__gt=0, samples__gte=0),
            ),
        ]
        indexes = [models.Index(fields=["state"], name="sound_files_by_state")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("detection:sound-files", args=[self.project.uuid])

    @property
    def path(self) -> Path:
        """The recorder's file."""
        return settings.HOME / self.location

    @property
    def folder(self) -> Path:
        """Where our copy lies, if it was uploaded."""
        return self.project.folder / str(self.uuid)

    @property
    def is_ready(self) -> bool:
        return self.state == SoundFileState.READY

    @property
    def is_refused(self) -> bool:
        return self.state == SoundFileState.REFUSED

    @property
    def duration(self) -> Fraction:
        """Seconds, exact. Only of a file that is ready."""
        return self.facts().duration

    @property
    def starts_at(self) -> str:
        """The timecode of its first sample, at the recorder's own rate; else as a time of day; else empty."""
        facts = self.facts()
        if facts.time_reference is None:
            return ""
        seconds = Fraction(facts.time_reference, facts.sample_rate)
        if facts.timecode_rate:
            try:
                drop = bool(facts.drop_frame)
                return timecode_at(int(seconds * facts.timecode_rate), facts.timecode_rate, None, drop)
            except TimecodeError:
                pass
        minutes, rest = divmod(float(seconds), 60)
        return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{rest:06.3f}"

    def facts(self) -> files.SoundFile:
        """Return what its header said. Only of a file that is ready."""
        if self.sample_rate is None or self.channels is None or self.bits is None or self.samples is None:
            raise ValueError("this sound file has not been read")
        return files.SoundFile(
            path=self.path,
            sample_rate=self.sample_rate,
            channels=self.channels,
            bits=self.bits,
            floating=self.floating,
            samples=self.samples,
            time_reference=None if self.time_reference is None else int(self.time_reference),
            timecode_rate=Fraction(self.timecode_rate) if self.timecode_rate else None,
            drop_frame=self.drop_frame,
            **{name: getattr(self, name) for name in WORDS},
        )

    def transients(self) -> tuple[Transient, ...]:
        """Return the sounds in it that may be claps."""
        from training.sound.transients import Transient  # scipy, which the web process need not load

        return tuple(Transient(**one) for one in self.heard)


#: What the recorder's operator wrote, under the same names in the file's facts and in the row.
WORDS = ("description", "recorded_at", "scene", "take", "tape")


def columns_of(sound: files.SoundFile) -> dict[str, Any]:
    """Return the columns of a sound file that hold these facts."""
    same = ("sample_rate", "channels", "bits", "floating", "samples", "time_reference", "drop_frame")
    words = {name: _storable(getattr(sound, name)) for name in WORDS}
    rate = str(sound.timecode_rate) if sound.timecode_rate else ""
    return {name: getattr(sound, name) for name in same} | words | {"timecode_rate": rate}


def _storable(text: str) -> str:
    """Text from a file: PostgreSQL takes no NUL."""
    return text.replace("\0", "")
