"""Exports lie beside the footage, never in it."""

from __future__ import annotations

from pathlib import Path

from secondsticks.terminal import printable


class WatchRefused(Exception):
    """These folders cannot be used for a watch."""


def refuse_overlap(folder: Path, out: Path) -> None:
    """Raise WatchRefused unless exports will lie beside the footage, whatever links lead to either."""
    if not folder.is_dir():
        raise WatchRefused(f"{printable(folder)} is no folder that can be read.")
    if _holds(folder, out):
        raise WatchRefused(
            f"{printable(out)} lies in the watched folder: exports go beside the footage, never into it."
        )
    if _holds(out, folder):
        raise WatchRefused(
            f"{printable(out)} holds the watched folder, so exports could get into the footage: "
            "give a folder beside it."
        )


def _holds(outer: Path, inner: Path) -> bool:
    real = inner.resolve()
    there = (at for at in (real, *real.parents) if at.exists())
    return outer.exists() and any(at.samefile(outer) for at in there)
