"""Where a clip is looked at: against looking at every frame, over stories that hypothesis makes up."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.claps.claps import Sighting, read_claps
from training.claps.tracks import follow
from training.footage.facts import ClipFacts
from training.footage.footage import Frame
from training.search import Progress, Search
from training.slates import Box, Detection, State

RATE = Fraction(24)


class Reel:
    """Stands in for Footage: its pictures are one pixel that carries the frame's number."""

    def __init__(self, frames: int, rate: Fraction = RATE) -> None:
        self.facts = ClipFacts(
            container="mov",
            codec="h264",
            pixel_format="yuv420p",
            width=2,
            height=2,
            rotation=0,
            rate=rate,
            frames=frames,
            duration=frames / rate,
        )

    def sample(self, step: Fraction) -> Iterator[Frame]:
        stride = max(1, int(step * self.facts.rate))
        return self._frames(sorted({*range(0, self.facts.frames, stride), self.facts.frames - 1}))

    def frames(self, first: int, last: int) -> Iterator[Frame]:
        assert 0 <= first <= last < self.facts.frames
        return self._frames(range(first, last + 1))

    def _frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        for number in numbers:
            shown = np.full((1, 1, 3), [number >> 16, number >> 8 & 255, number & 255], np.uint8)
            yield Frame(number, number, number / self.facts.rate, shown)


class Teller:
    """A detector that reads a story: one letter a frame, as in the table of claps."""

    sha256 = architecture = name = "teller"
    SCORES = {"o": (0.9, 0.05), "c": (0.05, 0.9), "?": (0.5, 0.4), "f": (0.15, 0.0), "-": (0.0, 0.0)}

    def __init__(self, story: str) -> None:
        self.story = story
        self.shown: list[int] = []

    def detect(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]:
        numbers = [
            int(high) << 16 | int(mid) << 8 | int(low) for high, mid, low in (p[0, 0] for p in pictures)
        ]
        self.shown += numbers
        return [self._found(self.story[number]) for number in numbers]

    def _found(self, letter: str) -> list[Detection]:
        scores = zip(State, self.SCORES[letter], strict=True)
        return [Detection(Box(0, 0, 1, 1), state, score) for state, score in scores if score >= 0.05]


def search(story: str, *, rate: Fraction = RATE) -> tuple[Teller, Search, list[Progress]]:
    teller, heard = Teller(story), list[Progress]()
    found = Search(Reel(len(story), rate), teller, heard.append)
    found.run()
    return teller, found, heard


def claps_of(found: Search, *, rate: Fraction = RATE) -> list[int]:
    looks = [(frame, found.looks[frame].detections) for frame in sorted(found.looks)]
    return [clap.frame for clap in read_claps(follow(looks, rate=rate).sightings, rate=rate).claps]


def claps_of_every_frame(story: str, *, rate: Fraction = RATE) -> list[int]:
    everything = [Sighting(i, *Teller.SCORES[letter]) for i, letter in enumerate(story)]
    return [clap.frame for clap in read_claps(everything, rate=rate).claps]


# A flash of one frame where nothing is, is what the search may miss; within a slate it makes no difference.
absences = st.integers(14, 90).map("-".__mul__)
holds = st.tuples(
    st.sampled_from("oc"), st.integers(14, 90), st.sampled_from(["", "", "-", "?", "o", "c", "oo"])
)
runs = st.one_of(absences, holds.map(lambda hold: hold[0] * hold[1] + hold[2]))
stories = st.lists(runs, min_size=1, max_size=7).map("".join)


@settings(deadline=None, max_examples=100)
@given(stories, st.sampled_from([RATE, Fraction(30000, 1001), Fraction(50)]))
def test_finds_what_looking_at_every_frame_finds(story: str, rate: Fraction) -> None:
    teller, found, _ = search(story, rate=rate)
    assert claps_of(found, rate=rate) == claps_of_every_frame(story, rate=rate)
    assert len(teller.shown) == len(set(teller.shown))


@settings(deadline=None, max_examples=50)
@given(stories)
def test_progress_never_falls(story: str) -> None:
    heard = search(story)[2]
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert heard[-1] == Progress(1000, 1000, "dense")


def test_a_long_hold_is_not_looked_at_frame_by_frame() -> None:
    teller, found, _ = search("-" * 48 + "o" * 240 + "c" * 240 + "-" * 48)
    assert claps_of(found) == [288]
    assert len(teller.shown) < 576 / 2


def test_every_frame_around_the_clap_is_looked_at() -> None:
    _, found, _ = search("-" * 48 + "o" * 50 + "c" * 50 + "-" * 48)
    assert set(range(98 - 5, 98 + 5)) <= set(found.looks)


def test_a_slate_that_the_coarse_pass_loses_is_followed_to_its_end() -> None:
    story = "-" * 40 + "f" * 20 + "o" * 3 + "f" * 13 + "c" * 14 + "-" * 60
    _, found, _ = search(story)
    assert set(range(60, 90)) <= set(range(min(found.looks), max(found.looks) + 1))
    assert claps_of(found) == claps_of_every_frame(story)


def test_memory_holds_detections_not_pictures() -> None:
    _, found, _ = search("-" * 24 + "o" * 48 + "c" * 48)
    assert not any(isinstance(value, Frame) for value in vars(found).values())
    assert all(not hasattr(look, "picture") for look in found.looks.values())


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shortest_clips(frames: int) -> None:
    teller, found, _ = search("o" * frames)
    assert teller.shown and claps_of(found) == []
