"""Claps as files that other programs import. Pure: no Django, no torch. See docs/exports.md."""

from secondsticks.markers.bundle import bundle, place, written
from secondsticks.markers.clips import LinkedSound, MarkedClip, Marker
from secondsticks.markers.formats import FORMATS, Format
from secondsticks.markers.scanned import marked_clip

__all__ = [
    "FORMATS",
    "Format",
    "LinkedSound",
    "MarkedClip",
    "Marker",
    "bundle",
    "marked_clip",
    "place",
    "written",
]
