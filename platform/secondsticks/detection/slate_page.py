"""What is written on a clip's slate, as pages and files show it: what a person said, or what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from secondsticks.detection.decisions import Stale, lock
from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.slate_texts import (
    ReadingState,
    SlateReading,
    SlateText,
    SlateTextSetting,
    in_words,
    texts_of,
)
from secondsticks.footage.models import Clip
from training.slate_text.fields import CONFIDENT, FIELDS

LONGEST = 32


class SlateForm(forms.Form):
    """What a person types off a slate. `made_on`: how many earlier versions they knew of."""

    made_on = forms.IntegerField(min_value=0, max_value=10**6)
    scene = forms.CharField(required=False, max_length=LONGEST)
    take = forms.CharField(required=False, max_length=LONGEST)
    roll = forms.CharField(required=False, max_length=LONGEST)
    camera = forms.CharField(required=False, max_length=LONGEST)

    @property
    def fields_said(self) -> dict[str, str]:
        return {name: " ".join(self.cleaned_data[name].split()) for name in FIELDS}


@dataclass(frozen=True)
class OnSlate:
    """Of a clip with its current scan, that scan's reading and all that people said, the latest last."""

    clip: Clip
    scan: Scan | None
    texts: list[SlateText]

    @property
    def reading(self) -> SlateReading | None:
        return getattr(self.scan, "slate_reading", None)

    @property
    def said(self) -> SlateText | None:
        """The last word of a person."""
        return self.texts[-1] if self.texts else None

    @property
    def read(self) -> dict[str, Any]:
        """Field -> text and confidence, of a reading that is done."""
        reading = self.reading
        return reading.fields if reading and reading.state == ReadingState.DONE else {}

    @property
    def accepted(self) -> dict[str, str]:
        return self.said.fields if self.said else {}

    @property
    def suggested(self) -> dict[str, str]:
        """What was read and nobody has looked at, where the machine was confident."""
        if self.said:
            return {}
        sure = {name: field for name, field in self.read.items() if field["confidence"] >= CONFIDENT}
        return texts_of(sure)

    @property
    def in_short(self) -> str:
        """`12A / 3`, with a question mark where nobody has checked it."""
        words = self.accepted or self.suggested
        scene_and_take = " / ".join(words[name] for name in ("scene", "take") if name in words)
        return f"{scene_and_take} ?" if scene_and_take and not self.accepted else scene_and_take

    @property
    def picture(self) -> Scan | None:
        """The scan that has a picture of the slate."""
        done = self.scan is not None and self.scan.state == ScanState.DONE
        return self.scan if done and self.scan and self.scan.slate_picture else None

    @cached_property
    def is_on(self) -> bool:
        return is_on(self.clip.project_id)

    @property
    def is_under_way(self) -> bool:
        return bool(self.is_on and self.reading and self.reading.is_under_way)

    @property
    def failed(self) -> str:
        return self.reading.error if self.reading and self.reading.state == ReadingState.FAILED else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """One for each field: what stands in it, and how sure the machine was of what nobody has checked."""
        shown = self.accepted if self.said else texts_of(self.read)
        unchecked = {} if self.said else self.read
        sure = {name: unchecked[name]["confidence"] if name in unchecked else None for name in FIELDS}
        return [
            {
                "name": name,
                "label": name.capitalize(),
                "text": shown.get(name, ""),
                "percent": None if (at := sure[name]) is None else round(at * 100),
                "in_doubt": at is not None and at < CONFIDENT,
            }
            for name in FIELDS
        ]

    @property
    def reads_otherwise(self) -> str:
        """What the machine reads, where a person said something else."""
        read = texts_of(self.read)
        return in_words(read) if self.said and read and read != self.accepted else ""

    @property
    def history(self) -> list[SlateText]:
        return self.texts[::-1]


def on_slate(clip: Clip) -> OnSlate:
    """Read from the database; of a clip from `with_scans` use its `ShownClip.on_slate`."""
    current = Scan.objects.filter(clip=clip, is_current=True).select_related("slate_reading").first()
    return OnSlate(clip, current, list(SlateText.objects.filter(clip=clip)))


def say(clip: Clip, user: User, fields: Mapping[str, str], *, made_on: int) -> None:
    """Keep what a person says is written. What stands already is nothing new. Raises Stale."""
    with transaction.atomic():
        lock([clip.pk])
        known = on_slate(clip)
        if len(known.texts) != made_on:
            if known.said and known.said.by_id == user.pk and known.accepted == _filled(fields):
                return  # sent again after a lost answer
            raise Stale
        if known.said and known.accepted == _filled(fields):
            return
        SlateText.objects.create(
            clip=clip,
            number=made_on + 1,
            reading=known.reading if known.read else None,
            suggested=known.read,
            by=user,
            by_name=user.get_username(),
            at=timezone.now(),
            **fields,
        )


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}


def is_on(project_id: int) -> bool:
    """Whether the text on this project's slates shall be read."""
    return SlateTextSetting.objects.filter(project_id=project_id, is_on=True).exists()


def turn(project_id: int, *, on: bool) -> None:
    SlateTextSetting.objects.update_or_create(project_id=project_id, defaults={"is_on": on})
