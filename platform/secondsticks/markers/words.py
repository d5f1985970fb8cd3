"""What a marker is called, says and looks like, and how text gets into formats that could trip over it."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from fractions import Fraction

from secondsticks.markers.clips import MarkedClip, Marker

#: Who made a marker that nobody has confirmed.
OURSELVES = "Second Sticks"
_KINDS = {"clap": "clap", "tail": "tail slate clap"}
#: Control characters, lone halves of characters, characters that are none, and line ends of Unicode.
_BROKEN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd", "Cn": "\ufffd"}
#: Marks that turn the direction of all text after them, also of what is not theirs.
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Look(StrEnum):
    """The colour of a marker: a clap that a person should look at is red wherever a format has colours."""

    SURE = "green"
    UNSURE = "red"


def look_of(marker: Marker) -> Look:
    return Look.SURE if marker.sure else Look.UNSURE


def name_of(clip: MarkedClip, marker: Marker) -> str:
    """`Clap`, `Clap 2 of 2`, `Clap, scene 12A take 3`; `LOOK: clap?` where a person should look."""
    words = _KINDS.get(marker.kind, marker.kind)
    if len(clip.claps) > 1:
        words += f" {clip.claps.index(marker) + 1} of {len(clip.claps)}"
    slate = " ".join(f"{what} {text}" for what, text in (("scene", clip.scene), ("take", clip.take)) if text)
    words += f", {slate}" if slate else ""
    words = one_line(words, longest=150)
    return f"{words[0].upper()}{words[1:]}" if marker.sure else f"LOOK: {words}?"


def details_of(clip: MarkedClip, marker: Marker) -> str:
    """Where a marker comes from, in one line: confidence, who confirmed it, checkpoint, sound, doubts."""
    parts = [f"{round(marker.confidence * 100)} % confident"] if marker.confidence is not None else []
    parts.append(_confirmation(marker))
    checkpoint = marker.checkpoint or clip.checkpoint
    parts += [f"checkpoint {short(checkpoint)}"] if checkpoint else []
    if marker.sample is not None:
        parts.append(
            f"sound at sample {marker.sample}"
            + (f" at {marker.sample_rate} Hz" if marker.sample_rate else "")
        )
    if marker.disagreement_ms is not None:
        parts.append(f"picture and sound {marker.disagreement_ms:+.1f} ms apart")
    parts += [text for text in (marker.note, "" if marker.sure else clip.reason) if text]
    return one_line(", ".join(parts))


def _confirmation(marker: Marker) -> str:
    if not marker.confirmed_by:
        return "not confirmed"
    when = f" on {marker.confirmed_at:%Y-%m-%d}" if marker.confirmed_at else ""
    return f"confirmed by {marker.confirmed_by}{when}"


def short(checkpoint: str) -> str:
    """A checkpoint's sha256 as people compare it."""
    return checkpoint[:12]


def rate_name(rate: Fraction) -> str:
    """A frame rate as people say it: 23.976, 25, 29.97."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def one_line(text: str, *, longest: int = 500, without: str = "") -> str:
    """Text on one line, without tabs, controls, broken characters and those of `without`; cut off with …"""
    plain = "".join(
        _BROKEN.get(unicodedata.category(letter), letter) for letter in text if letter not in _TURNING
    )
    for letter in without:
        plain = plain.replace(letter, "/")
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"
