"""Avid Log Exchange: a line for each clip, also for those without a clap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.words import details_of, name_of, one_line, rate_name, short

#: Sizes that Avid knows by name; all others are CUSTOM.
_VIDEO_FORMATS = {(1920, 1080): "1080", (1280, 720): "720", (720, 576): "PAL", (720, 486): "NTSC"}


def as_ale(clips: Sequence[MarkedClip]) -> str:
    """Clips of one rate: an ALE has one FPS for all its lines."""
    sizes = {(clip.width, clip.height) for clip in clips}
    heading = {
        "FIELD_DELIM": "TABS",
        "VIDEO_FORMAT": _VIDEO_FORMATS.get(sizes.pop(), "CUSTOM") if len(sizes) == 1 else "CUSTOM",
        "AUDIO_FORMAT": "48khz",
        "FPS": rate_name(clips[0].fps),
    }
    lines = ["Heading", *("\t".join(pair) for pair in heading.items()), ""]
    sounds = any(clip.sound for clip in clips)
    rows = [_row(clip) | (_sound(clip) if sounds else {}) for clip in clips]
    if any(clip.suggested for clip in clips):  # never in Scene and Take, where nobody would doubt it
        rows = [row | {"Slate not checked": _suggested(clip)} for row, clip in zip(rows, clips, strict=True)]
    lines += ["Column", "\t".join(rows[0]), "", "Data"]
    lines += ["\t".join(one_line(text) for text in row.values()) for row in rows]
    return "\r\n".join(lines) + "\r\n"


def _row(clip: MarkedClip) -> dict[str, str]:
    stem = PurePath(clip.name).stem
    return {
        "Name": stem,
        "Tracks": "V" + "".join(f"A{number}" for number in range(1, clip.channels + 1)),
        "Start": clip.timecode_at(0),
        "End": clip.timecode_at(clip.length),  # the frame after the last, as Avid counts
        "Tape": clip.roll or stem,
        "Source File": PurePath(clip.name).name,
        "FPS": rate_name(clip.fps),
        "Scene": clip.scene,
        "Take": clip.take,
        "Camera": clip.camera,
        **_claps(clip),
        "Verdict": "MOS" if clip.verdict == "mos" else clip.verdict,
        "Checkpoint": short(clip.checkpoint),
        "Comments": "; ".join(
            [f"{name_of(clip, one)}: {details_of(clip, one)}" for one in clip.claps] or [clip.reason]
        ),
    }


def _sound(clip: MarkedClip) -> dict[str, str]:
    """Avid's columns for the recorder's roll and its timecode at the clip's first frame, and our own."""
    columns = ("Soundroll", "Sound TC", "Sound file", "Sound offset frames", "Sound offset samples")
    if clip.sound is None:
        return dict.fromkeys(columns, "")
    at_start = clip.sound.count_at_start(clip.fps)
    values = (
        clip.sound.tape or PurePath(clip.sound.file).stem,
        "" if at_start is None else clip.label_of(at_start),
        clip.sound.file,
        f"{float(clip.sound.offset_frames(clip.fps)):.2f}",
        str(clip.sound.offset_samples),
    )
    return dict(zip(columns, values, strict=True))


def _suggested(clip: MarkedClip) -> str:
    read = ", ".join(f"{name} {text}" for name, text in clip.suggested.items())
    return f"{read} (read by machine)" if read else ""


def _claps(clip: MarkedClip) -> dict[str, str]:
    """The first two claps have columns of their own; more are rare and stand in the comments."""
    columns = {"Claps": str(len(clip.claps))}
    for number in range(2):
        marker = clip.claps[number] if number < len(clip.claps) else None
        label = "Clap" if number == 0 else "Clap 2"
        columns[f"{label} TC"] = clip.timecode_at(clip.place(marker)) if marker else ""
        columns[f"{label} frame"] = str(clip.place(marker)) if marker else ""
        columns["Confidence" if number == 0 else "Clap 2 confidence"] = (
            f"{marker.confidence:.2f}" if marker and marker.confidence is not None else ""
        )
        columns[f"{label} sample"] = str(marker.sample) if marker and marker.sample is not None else ""
        columns[f"{label} confirmed by"] = (marker.confirmed_by or "not confirmed") if marker else ""
    return columns
