"""What libav's decoders complain about, in the decode child.

A decoder that patches a damaged picture up from its neighbours returns it as if it were whole; only
its log says so.
"""

from __future__ import annotations

import logging
import re

import av.logging

#: Said after a jump into the middle of a sound file too, by pictures that are then not shown.
_HARMLESS = re.compile(r"mmco|reference (picture|frames)|co located|Could not find ref")


class Complaints(logging.Handler):
    """Counts libav's errors from now on."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        av.logging.set_level(av.logging.ERROR)
        av.logging.set_skip_repeated(False)
        log = logging.getLogger("libav")
        log.handlers = [self]
        log.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        if not _HARMLESS.search(record.getMessage()):
            self.count += 1
