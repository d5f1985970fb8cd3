"""The decode child: answers the parent's requests about one file. `python -m training.footage.decode LIMITS`.

Started by training.footage.fence alone; it limits itself before it loads libav.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from training.footage.facts import FootageError, Limits
from training.footage.fence import MEMORY_EXIT, Wire, confine
from training.footage.planning import coarse_plan

if TYPE_CHECKING:
    from training.footage.probing import Shape
    from training.footage.reel import Reel, Shot

#: Missing frames that one answer lists; more are not worth a count.
_MOST_NAMED = 10_000


class Answers:
    """One open file and the requests to it."""

    def __init__(self, wire: Wire, limits: Limits) -> None:
        self._wire, self._limits = wire, limits
        self._missing: list[int] = []
        self._reel: Reel
        self._shape: Shape

    def open(self, path: str) -> None:
        from training.footage.probing import facts_of
        from training.footage.reel import Reel

        self._reel = Reel(Path(path), self._limits, self._wire.still_working)
        facts, self._shape = facts_of(self._reel, Path(path), self._wire.still_working)
        if facts.duration > self._limits.seconds:
            raise FootageError(
                "too_long", f"The clip is too long: over {self._limits.seconds / 3600:g} hours."
            )
        self._wire.tell({"is": "facts", "facts": facts.to_json()})

    def sample(self, step: str, side: int | None) -> None:
        packets = self._reel.packets
        keys = set(packets.keys)
        plan = coarse_plan(
            packets.times, [pts in keys for pts in packets.times], Fraction(step) / self._reel.time_base
        )
        last = self._send(plan, side)
        if last < plan[-1] and not self._wire.interrupted():
            self._send_last_readable(last, side)
        self._end()

    def frames(self, first: int, last: int, side: int | None) -> None:
        self._send(range(first, last + 1), side)
        self._end()

    def sound(self, path: str, stream: int | None) -> None:
        from training.footage.listening import listen

        start = self._reel.packets.times[0] * self._reel.time_base
        for block in listen(Path(path), self._limits, start, stream, self._wire.still_working):
            if self._wire.interrupted():
                break
            header = {
                "is": "sound",
                "stream": block.stream,
                "sample_rate": block.sample_rate,
                "first": block.first,
                "channels": block.samples.shape[0],
            }
            self._wire.tell(header, block.samples.data.cast("B"))
        self._wire.tell({"is": "end", "missing": []})

    def proxy(self, path: str, target: str) -> None:
        from training.footage.proxy import write_proxy

        write_proxy(Path(path), Path(target), self._limits, self._wire)
        self._wire.tell({"is": "end"})

    def _send(self, numbers: Sequence[int], side: int | None) -> int:
        """Send these frames; the number of the last one sent, -1 for none."""
        sent: list[int] = []
        self._missing = []
        for shot in self._reel.deliver(numbers):
            if self._wire.interrupted():
                break
            self._tell(shot, side)
            sent.append(shot.number)
        else:
            self._missing = sorted(set(numbers).difference(sent))[:_MOST_NAMED]
        return sent[-1] if sent else -1

    def _send_last_readable(self, after: int, side: int | None) -> None:
        """The last frame of the clip is damaged: the last one that is not, in its place."""
        packets = self._reel.packets
        key = packets.key_before(packets.times[-1])
        start = max(after + 1, next(n for n, pts in enumerate(packets.times) if pts >= key))
        for shot in deque(self._reel.deliver(range(start, len(packets.times))), maxlen=1):
            self._tell(shot, side)

    def _end(self) -> None:
        self._wire.tell({"is": "end", "missing": self._missing})

    def _tell(self, shot: Shot, side: int | None) -> None:
        from training.footage.pictures import shown

        picture = shown(shot.frame, self._shape, side)
        header = {
            "is": "frame",
            "number": shot.number,
            "pts": self._reel.packets.times[shot.number],
            "seconds": str(self._reel.seconds(shot.number)),
            "width": picture.shape[1],
            "height": picture.shape[0],
            "damaged": shot.damaged,
        }
        self._wire.tell(header, picture.data.cast("B"))


def serve(wire: Wire, limits: Limits) -> None:
    """Answer until the parent is gone. A file's fault is told to the parent; the child stays."""
    import av.error

    answers = Answers(wire, limits)
    while (request := wire.request()) is not None:
        what = request.pop("do")
        if what == "stop":
            continue
        try:
            getattr(answers, what)(**request)
        except BrokenPipeError:
            return
        except FootageError as error:
            wire.tell({"is": "failed", "kind": error.kind, "error": str(error)})
        except (MemoryError, av.error.BlockingIOError):  # no room for a thread's stack
            wire.tell({"is": "failed", "kind": "memory", "error": "Reading this file needs too much memory."})
        except av.error.FFmpegError as error:
            wire.tell(
                {"is": "failed", "kind": "broken", "error": f"The file cannot be read: {error.strerror}."}
            )


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up on the wire
    confine(limits)
    try:
        serve(Wire(0, answers), limits)
    except MemoryError:
        os._exit(MEMORY_EXIT)


if __name__ == "__main__":
    main()
