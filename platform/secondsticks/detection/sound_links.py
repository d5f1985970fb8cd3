"""Which recorder's file belongs to a clip, and where the clip lies in it: the rows, and what stands of them.

Rows are only ever added; the last one of a clip stands. The machine adds none after a person's, until that
person, or another, asks it to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from fractions import Fraction

from django.db import models
from django.db.models.functions import Now


class How(models.TextChoices):
    """How a clip and a sound file came together, or did not."""

    TIMECODE = "timecode", "by timecode"
    CLAPS = "claps", "by claps heard in both"
    BY_HAND = "by hand", "by hand"
    NOTHING = "nothing", "nothing was found"
    UNLINKED = "unlinked", "taken apart by hand"
    AUTOMATIC = "automatic", "to be found again"


#: What a person says; the rest is said by the machine.
BY_PEOPLE = (How.BY_HAND, How.UNLINKED, How.AUTOMATIC)


class SoundLink(models.Model):
    """A word on where a clip's first frame lies in a sound file. `number` counts them from 1 per clip."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clip = models.ForeignKey("footage.Clip", models.CASCADE, related_name="sound_links")
    number = models.PositiveIntegerField()
    how = models.CharField(max_length=10, choices=How)
    sound_file = models.ForeignKey("footage.SoundFile", models.SET_NULL, null=True, related_name="links")
    sound_name = models.CharField(max_length=255, blank=True, help_text="Stays when the file goes.")
    offset_samples = models.BigIntegerField(null=True, help_text="Negative: the clip began first.")
    by_timecode = models.BigIntegerField(null=True)
    by_claps = models.BigIntegerField(null=True)
    confidence = models.FloatField(null=True, help_text="Of the claps heard.")
    certainty = models.CharField(max_length=10, help_text="sure, look or no match")
    reason = models.TextField(blank=True)
    by = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150, blank=True, help_text="Stays when the account goes.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["clip", "number"], name="sound_links_in_a_row"),
            models.CheckConstraint(
                name="linked_clips_have_an_offset",
                condition=models.Q(sound_file__isnull=True) | models.Q(offset_samples__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sound_name or 'no sound file'} ({self.how})"

    @property
    def is_linked(self) -> bool:
        return self.sound_file_id is not None

    @property
    def is_sure(self) -> bool:
        return self.certainty == "sure"

    @property
    def is_a_persons(self) -> bool:
        """Whether a person's word stands here, which the machine leaves alone."""
        return self.how == How.UNLINKED or (self.how == How.BY_HAND and self.is_linked)

    @property
    def seconds(self) -> Fraction:
        """From the sound file's first sample to the clip's first frame. Only of a link to a file."""
        if self.sound_file is None or self.offset_samples is None:
            raise ValueError("this clip has no sound file")
        return Fraction(self.offset_samples, self.sound_file.facts().sample_rate)

    def says_the_same(self, other: SoundLink) -> bool:
        """Whether nothing would be new about the other row."""
        same = ("how", "sound_file_id", "offset_samples", "certainty", "reason")
        return all(getattr(self, name) == getattr(other, name) for name in same)


class LinkDue(models.Model):
    """A clip whose sound file is to be looked for. `token` is new with every asking."""

    clip = models.OneToOneField("footage.Clip", models.CASCADE, related_name="link_due")
    token = models.UUIDField(default=uuid.uuid4)
    asked_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveIntegerField(default=0)
    taken_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link due for clip {self.clip_id}"


def standing_link(links: Iterable[SoundLink]) -> SoundLink | None:
    """The row that stands: the last one."""
    return max(links, key=lambda link: link.number, default=None)
