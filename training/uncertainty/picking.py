"""The ways to pick frames from many clips, one after the other, never the same frame twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from training.uncertainty.looks import Worth

AT_RANDOM = "drawn by chance, so that it stays known what asking about chosen frames is worth"
#: Of a picture's hash (training.uncertainty.pictures).
BITS = 64
#: Two pictures that have nothing in common differ in half of their bits. More does not count.
UNRELATED = BITS // 2
#: How many bits two frames of one appearance differ in where a hash is missing.
SAME_SLATE = 3
#: However alike a frame is to one that was chosen, this much of its score is left.
LEAST = 0.02
#: Draws within a clip before its free frames are listed.
TRIES = 20

Key = tuple[str, int]  # clip, frame
Picked = tuple[str, Worth]


@dataclass(frozen=True, slots=True)
class Candidates:
    """One clip: how many frames it has, those worth asking about, and hashes of pictures (by frame).

    `hashes` may lack any frame; those of frames that are labelled already help to ask for something new.
    """

    clip: str
    frames: int
    worths: Sequence[Worth]
    hashes: Mapping[int, int] = field(default_factory=dict)


class Pool:
    """Clips to pick from. What was picked, or is `taken`, is not picked again."""

    def __init__(
        self,
        clips: Sequence[Candidates],
        *,
        taken: Collection[Key],
        per_appearance: int | None,
        rng: Random,
    ) -> None:
        self._clips = {one.clip: one for one in sorted(clips, key=lambda one: one.clip)}
        if len(self._clips) != len(clips):
            raise ValueError("a clip comes twice")
        self._rng, self._cap = rng, per_appearance
        self._gone: set[Key] = set(taken)
        self._earlier = sorted(key for key in self._gone if key[0] in self._clips)
        self._picked: list[Picked] = []
        self._of_clip = Counter(clip for clip, _ in self._earlier)
        self._of_slate: Counter[tuple[str, int]] = Counter()
        self._slates = {clip: _Slates(one.worths) for clip, one in self._clips.items()}

    def in_doubt(self) -> int:
        """How many frames there are to pick from that are worth asking about."""
        slates = Counter((clip, worth.appearance) for clip, worth in self._rest())
        most = slates.total() if self._cap is None else self._cap
        return sum(count if slate is None else min(count, most) for (_, slate), count in slates.items())

    def at_random(self, count: int) -> list[Picked]:
        """A clip, then a frame of it, each as likely as the other, `count` times."""
        return self._by_chance(count, lambda left: left)

    def one_per_clip(self, count: int) -> list[Picked]:
        """A frame by chance from each clip in turn, those with the fewest frames picked or taken first."""

        def least_asked(left: list[str]) -> list[str]:
            fewest = min(self._of_clip[clip] for clip in left)
            return [clip for clip in left if self._of_clip[clip] == fewest]

        return self._by_chance(count, least_asked)

    def _by_chance(self, count: int, among: Callable[[list[str]], list[str]]) -> list[Picked]:
        left = list(self._clips)
        picked: list[Picked] = []
        while len(picked) < count and left:
            clip = self._rng.choice(among(left))
            frame = self._any_frame(clip)
            if frame is None:
                left.remove(clip)
            else:
                picked.append(self._pick(clip, self._slates[clip].by_chance(frame)))
        return picked

    def best(self, count: int) -> list[Picked]:
        """The frames that are worth most."""
        rest = sorted(self._rest(), key=lambda pair: (-pair[1].score, pair[0], pair[1].frame))
        return [self._pick(clip, worth) for clip, worth in rest[:count]]

    def diverse(self, count: int) -> list[Picked]:
        """Worth much, of clips asked little about, and unlike all that is picked or taken.

        Greedy k-centre (Gonzalez 1985) in the distance of hashes, weighed with the score.
        """
        rest = list(self._rest())
        points = _Points(rest, self._clips)
        for clip, frame in self._earlier:
            points.add(clip, frame, self._slates[clip].of(frame))
        for clip, worth in self._picked:
            points.add(clip, worth.frame, worth.appearance)
        picked: list[Picked] = []
        while len(picked) < count and (place := points.best(self._of_clip)) is not None:
            clip, worth = rest[place]
            points.remove(place)
            if not self._is_full(clip, worth.appearance):
                picked.append(self._pick(clip, worth))
                points.add(clip, worth.frame, worth.appearance)
        return picked

    def _rest(self) -> Iterator[Picked]:
        for clip, slates in self._slates.items():
            for frame, worth in sorted(slates.worths.items()):
                if (clip, frame) not in self._gone:
                    yield clip, worth

    def _any_frame(self, clip: str) -> int | None:
        frames = self._clips[clip].frames
        for _ in range(TRIES if frames else 0):
            if self._is_free(clip, frame := self._rng.randrange(frames)):
                return frame
        free = [frame for frame in range(frames) if self._is_free(clip, frame)]
        return self._rng.choice(free) if free else None

    def _is_free(self, clip: str, frame: int) -> bool:
        return (clip, frame) not in self._gone and not self._is_full(clip, self._slates[clip].of(frame))

    def _is_full(self, clip: str, appearance: int | None) -> bool:
        if self._cap is None or appearance is None:
            return False
        return self._of_slate[clip, appearance] >= self._cap

    def _pick(self, clip: str, worth: Worth) -> Picked:
        self._gone.add((clip, worth.frame))
        self._of_clip[clip] += 1
        if worth.appearance is not None:
            self._of_slate[clip, worth.appearance] += 1
        self._picked.append((clip, worth))
        return clip, worth


class _Slates:
    """Which appearance of a slate a clip's frames are in, as far as its worths tell."""

    def __init__(self, worths: Sequence[Worth]) -> None:
        self.worths = {worth.frame: worth for worth in worths}
        self._spans: dict[int, tuple[int, int]] = {}
        for worth in worths:
            if worth.appearance is not None:
                first, last = self._spans.get(worth.appearance, (worth.frame, worth.frame))
                self._spans[worth.appearance] = min(first, worth.frame), max(last, worth.frame)

    def of(self, frame: int) -> int | None:
        if frame in self.worths:
            return self.worths[frame].appearance
        inside = [number for number, (first, last) in self._spans.items() if first <= frame <= last]
        return min(inside, default=None)

    def by_chance(self, frame: int) -> Worth:
        known = self.worths.get(frame)
        reasons = (AT_RANDOM, *(known.reasons if known else ()))
        return Worth(frame, known.score if known else 0.0, reasons, self.of(frame))


class _Points:
    """Frames as points: how much each is worth, and how far it is from all that was chosen."""

    def __init__(self, rest: Sequence[Picked], clips: Mapping[str, Candidates]) -> None:
        self._clips = clips
        self._numbers = {clip: number for number, clip in enumerate(clips)}
        hashes = [clips[clip].hashes.get(worth.frame) for clip, worth in rest]
        self._scores = np.array([worth.score for _, worth in rest], np.float64)
        self._hashes = np.array([value or 0 for value in hashes], np.int64)
        self._hashed = np.array([value is not None for value in hashes], bool)
        self._clip = np.array([self._numbers[clip] for clip, _ in rest], np.int64)
        self._slate = np.array(
            [-1 if worth.appearance is None else worth.appearance for _, worth in rest], np.int64
        )
        self._far = np.full(len(rest), UNRELATED, np.uint8)

    def best(self, of_clip: Mapping[str, int]) -> int | None:
        """Where the most useful frame left is; the first of equals."""
        if not len(self._scores) or self._scores.max() < 0:
            return None
        asked = np.array([of_clip.get(clip, 0) for clip in self._clips], np.float64)
        use = self._scores * np.maximum(LEAST, self._far / UNRELATED) / (1 + asked[self._clip])
        return int(np.where(self._scores < 0, -1.0, use).argmax())

    def remove(self, place: int) -> None:
        self._scores[place] = -1.0

    def add(self, clip: str, frame: int, appearance: int | None) -> None:
        slate = -1 if appearance is None else appearance
        beside = (self._clip == self._numbers[clip]) & (self._slate == slate)
        known = self._clips[clip].hashes.get(frame)
        if known is None:
            self._far[beside] = np.minimum(self._far[beside], SAME_SLATE)
            return
        bits = np.bitwise_count((self._hashes ^ np.int64(known)).view(np.uint64))
        bits[~self._hashed] = UNRELATED
        bits[beside & ~self._hashed] = SAME_SLATE
        np.minimum(self._far, bits, out=self._far)
