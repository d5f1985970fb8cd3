"""What was shot: projects, their people, and clips. Uploads on their way live here too."""

from __future__ import annotations

import uuid
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from secondsticks.footage import bucket, names
from secondsticks.footage.discarded import Discarded as Discarded
from secondsticks.footage.sound_files import SoundFile as SoundFile
from secondsticks.footage.watched_folders import WatchedFile as WatchedFile
from secondsticks.footage.watched_folders import WatchedFolder as WatchedFolder
from training.footage.footage import ClipFacts
from training.timecode import timecode_at

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Role(models.TextChoices):
    """What a member may do; each role may do all that the ones before it may."""

    ANNOTATOR = "annotator", "Annotator"
    LEAD = "lead", "Lead"
    ADMIN = "admin", "Admin"

    def covers(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class ProjectQuerySet(models.QuerySet["Project"]):
    def for_user(self, user: User) -> ProjectQuerySet:
        """Return the projects this person may see; a site superuser sees all."""
        if user.is_superuser:
            return self
        return self.filter(pk__in=_projects_of(user))


class Project(models.Model):
    """One production and its people."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    sample = models.BooleanField("demo", default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    #: The role of the person asking, set by `permissions`.
    role: Role | None = None

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("detection:board", args=[self.uuid])

    @property
    def folder(self) -> Path:
        """Where our files of this project lie."""
        return settings.HOME / "footage" / str(self.uuid)

    @property
    def uploads_to_bucket(self) -> bool:
        return bucket.is_configured()

    @property
    def you_lead(self) -> bool:
        return self.role is not None and self.role.covers(Role.LEAD)

    @property
    def you_administer(self) -> bool:
        return self.role is not None and self.role.covers(Role.ADMIN)

    def role_of(self, user: User) -> Role | None:
        """Return the role of this person here; a site superuser is an admin everywhere."""
        if user.is_superuser:
            return Role.ADMIN
        role = self.memberships.filter(user_id=user.pk).values_list("role", flat=True).first()
        return Role(role) if role else None


def _projects_of(user: User) -> models.QuerySet[Membership, Any]:
    """Return their ids as a subquery: a join would also narrow what is counted of a project's members."""
    return Membership.objects.filter(user_id=user.pk).values("project_id")


class Membership(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.ANNOTATOR)

    class Meta:
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.role}"


class ClipState(models.TextChoices):
    UPLOADED = "uploaded", "Waiting"
    INGESTING = "ingesting", "Reading"
    READY = "ready", "Ready"
    REFUSED = "refused", "Refused"


class ProxyState(models.TextChoices):
    """A proxy is a copy that browsers can play, for clips that they cannot."""

    UNKNOWN = "unknown", "Not read yet"
    NOT_NEEDED = "not needed", "Not needed"
    QUEUED = "queued", "Waiting"
    MAKING = "making", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class ClipQuerySet(models.QuerySet["Clip"]):
    def for_user(self, user: User) -> ClipQuerySet:
        """Return the clips this person may see."""
        if user.is_superuser:
            return self
        return self.filter(project_id__in=_projects_of(user))


class Clip(models.Model):
    """One video file from the camera. The file is never written to."""

    class Origin(models.TextChoices):
        UPLOAD = "upload", "Upload"
        FOLDER = "folder", "Server folder"
        DEMO = "demo", "Demo"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="clips")
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=8, choices=Origin)
    #: Relative to our home if the file is ours, so that the home can be moved; absolute in a server folder.
    location = models.TextField(editable=False)
    size = models.BigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True)

    state = models.CharField(max_length=10, choices=ClipState, default=ClipState.UPLOADED)
    message = models.TextField(blank=True)
    warnings = models.JSONField(default=list, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    #: Who works on it: the lease ends at `leased_until`; `attempt` is the fence, raised by every claim.
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    rate_num = models.BigIntegerField(null=True, blank=True)
    rate_den = models.BigIntegerField(null=True, blank=True)
    frames = models.BigIntegerField(null=True, blank=True)
    duration_num = models.BigIntegerField(null=True, blank=True)
    duration_den = models.BigIntegerField(null=True, blank=True)
    start_offset_num = models.BigIntegerField(default=0)
    start_offset_den = models.BigIntegerField(default=1)
    start_timecode = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001 - none is not ""
    drop_frame = models.BooleanField(default=False)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    rotation = models.PositiveSmallIntegerField(default=0)
    variable_rate = models.BooleanField(default=False)
    codec = models.CharField(max_length=40, blank=True)
    container = models.CharField(max_length=80, blank=True)
    pixel_format = models.CharField(max_length=40, blank=True)
    color = models.JSONField(default=dict, blank=True)
    audio = models.JSONField(default=list, blank=True)

    proxy_state = models.CharField(max_length=12, choices=ProxyState, default=ProxyState.UNKNOWN)
    proxy_progress = models.FloatField(default=0)
    proxy_message = models.TextField(blank=True)
    has_poster = models.BooleanField(default=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ClipQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "location"], name="one_clip_per_file"),
            models.CheckConstraint(
                name="ready_clips_are_known",
                condition=~models.Q(state="ready") | models.Q(rate_num__gt=0, rate_den__gt=0, frames__gt=0),
            ),
        ]
        indexes = [models.Index(fields=["state", "proxy_state"], name="clips_by_state")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("detection:clip", args=[self.uuid])

    @property
    def path(self) -> Path:
        """The camera's file."""
        return settings.HOME / self.location

    @property
    def folder(self) -> Path:
        """Where our own files about this clip lie: poster, proxy, and the source if it was uploaded."""
        return self.project.folder / str(self.uuid)

    @property
    def proxy_path(self) -> Path:
        return self.folder / "proxy.mp4"

    @property
    def poster_path(self) -> Path:
        return self.folder / "poster.jpg"

    @property
    def playable_path(self) -> Path | None:
        """The file a browser can play: the source, its proxy, or None while there is neither."""
        return {ProxyState.NOT_NEEDED.value: self.path, ProxyState.READY.value: self.proxy_path}.get(
            self.proxy_state
        )

    @property
    def rate(self) -> Fraction:
        """Frames per second, exact. Only of a clip that is ready."""
        return _fraction(self.rate_num, self.rate_den)

    @property
    def duration(self) -> Fraction:
        """Seconds, exact. Only of a clip that is ready."""
        return _fraction(self.duration_num, self.duration_den)

    def timecode_at(self, frame: int) -> str:
        return timecode_at(frame, self.rate, self.start_timecode, self.drop_frame)

    def facts(self) -> ClipFacts:
        """Return what the probe said about this clip. Only of a clip that is ready."""
        fractions = {
            name: str(_fraction(getattr(self, f"{name}_num"), getattr(self, f"{name}_den")))
            for name in FRACTIONS_PROBED
        }
        return ClipFacts.from_json({name: getattr(self, name) for name in SAME_AS_PROBED} | fractions)


def _fraction(numerator: int | None, denominator: int | None) -> Fraction:
    if numerator is None or denominator is None:
        raise ValueError("this clip has not been read")
    return Fraction(numerator, denominator)


#: The fields of ClipFacts that a clip holds under the same name and in the same form as their JSON.
SAME_AS_PROBED = (
    *("container", "codec", "pixel_format", "width", "height", "rotation", "frames", "start_timecode"),
    *("drop_frame", "variable_rate", "color", "audio", "warnings"),
)
FRACTIONS_PROBED = ("rate", "duration", "start_offset")


def columns_of(facts: ClipFacts) -> dict[str, Any]:
    """Return the columns of a clip that hold these facts."""
    said = facts.to_json()
    columns = {name: said[name] for name in SAME_AS_PROBED}
    for name in FRACTIONS_PROBED:
        fraction = getattr(facts, name)
        columns |= {f"{name}_num": fraction.numerator, f"{name}_den": fraction.denominator}
    return columns


class Upload(models.Model):
    """A file on its way from a browser; becomes the clip or sound file of the same uuid when all is here."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="uploads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    #: Of a file that goes straight into the bucket, in parts of this length: S3's id of the upload.
    part_bytes = models.BigIntegerField(default=0)
    multipart = models.TextField(blank=True, editable=False)
    #: The request that writes now, and when it last did.
    writer = models.UUIDField(null=True, editable=False)
    written_at = models.DateTimeField(auto_now_add=True)
    created_at = models.DateTimeField(auto_now_add=True)
    clip = models.OneToOneField(Clip, models.CASCADE, null=True, related_name="upload")
    sound_file = models.OneToOneField(SoundFile, models.CASCADE, null=True, related_name="upload")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="offset_within_size", condition=models.Q(offset__gte=0, offset__lte=models.F("size"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.offset} of {self.size} bytes"

    @property
    def part_path(self) -> Path:
        return settings.HOME / "uploads" / f"{self.uuid}.part"

    @property
    def bucket_key(self) -> str:
        """Where in the bucket it arrives, and stays as a clip or sound file."""
        folder = bucket.folder_of(self.project.uuid, self.uuid)
        return f"{folder}/source.{names.ending(self.name)}"
