"""What stands for a clip after decisions and scans, as tables: no database."""

from datetime import UTC, datetime, timedelta

import pytest

from secondsticks.detection.models import Clap, Decision
from secondsticks.detection.standing import SAME, active, is_tail, stand

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Story:
    """Decisions in order, told by frames: `accept(10)` accepts the clap that the scan saw at frame 10."""

    def __init__(self, *seen: int) -> None:
        self.seen = [Clap(frame=frame, seconds=frame / 24, confidence=0.9) for frame in seen]
        self.by_frame = {clap.frame: clap.uuid for clap in self.seen}
        self.decisions: list[Decision] = []

    def say(self, kind, by="ann", **fields):
        number = len(self.decisions) + 1
        at = NOON + timedelta(minutes=number)
        decision = Decision(pk=number, number=number, kind=kind, by_name=by, at=at, **fields)
        self.decisions.append(decision)
        return self

    def accept(self, frame, **fields):
        uuid = self.by_frame[frame]
        return self.say("accept", clap=uuid, frame_before=frame, frame_after=frame, **fields)

    def move(self, frame, to):
        self.by_frame[to] = self.by_frame[frame]
        return self.say("move", clap=self.by_frame[frame], frame_before=frame, frame_after=to)

    def reject(self, frame):
        return self.say("reject", clap=self.by_frame[frame], frame_before=frame)

    def add(self, frame):
        self.say("add", frame_after=frame)
        self.by_frame[frame] = self.decisions[-1].uuid
        return self

    def undo(self):
        return self.say("undo", undoes_id=active(self.decisions)[-1].pk)

    def rescan(self, *seen):
        self.seen = [Clap(frame=frame, seconds=frame / 24, confidence=0.8) for frame in seen]
        return self

    def standing(self, verdict="look"):
        return stand(verdict, "as the scan said", self.seen, self.decisions)


@pytest.mark.parametrize(
    ("story", "frames", "verdict", "confirmed"),
    [
        (Story(10), [10], "look", False),
        (Story(), [], "look", False),
        (Story(10).accept(10), [10], "sure", True),
        (Story(10).move(10, 11), [11], "sure", True),
        (Story(10).move(10, 11).accept(11), [11], "sure", True),
        (Story(10).move(10, 11).move(11, 12), [12], "sure", True),
        (Story(10).move(10, 11).undo(), [10], "look", False),
        (Story(10).reject(10), [], "look", False),
        (Story(10).reject(10).undo(), [10], "look", False),
        (Story(10, 90).accept(10), [10, 90], "look", False),
        (Story(10, 90).accept(10).accept(90), [10, 90], "sure", True),
        (Story(10, 90).accept(10).reject(90), [10], "sure", True),
        (Story().add(30), [30], "sure", True),
        (Story().add(30).move(30, 31), [31], "sure", True),
        (Story().add(30).reject(30), [], "look", False),
        (Story(10).say("mos"), [], "mos", True),
        (Story(10).say("no slate"), [], "no slate", True),
        (Story(10).say("mos").undo(), [10], "look", False),
        (Story(10).say("mos").accept(10), [10], "sure", True),
        (Story(10).accept(10).say("mos"), [], "mos", True),
        (Story(10).accept(10).say("mos").undo(), [10], "sure", True),
        # a new scan never moves what people have said
        (Story(10).accept(10).rescan(12), [10], "sure", True),
        (Story(10).move(10, 40).rescan(11), [40], "sure", True),
        (Story(10).accept(10).rescan(), [10], "sure", True),
        (Story(10).accept(10).rescan(10, 90), [10, 90], "look", False),
        (Story(10).accept(10).rescan(10 + SAME + 1), [10, 10 + SAME + 1], "look", False),
        (Story(10).reject(10).rescan(12), [], "look", False),
        (Story(10).reject(10).rescan(90), [90], "look", False),
        (Story(10).say("mos").rescan(90), [], "mos", True),
        (Story().add(30).rescan(31), [30], "sure", True),
        (Story(10, 14).accept(10), [10, 14], "look", False),  # two near claps of one scan stay two
        (Story(10, 14).accept(10).accept(14).rescan(11), [10, 14], "sure", True),
    ],
)
def test_what_stands(story, frames, verdict, confirmed):
    standing = story.standing()
    assert [clap.frame for clap in standing.claps] == frames
    assert (standing.verdict, standing.is_confirmed) == (verdict, confirmed)


def test_who_confirmed_what_and_when():
    story = Story(10, 90).accept(10).accept(90, by="bea")
    first, second = story.standing().claps
    assert (first.confirmed_by, first.confirmed_at) == ("ann", NOON + timedelta(minutes=1))
    assert (second.confirmed_by, second.confirmed_at) == ("bea", NOON + timedelta(minutes=2))
    assert story.standing().reason == "the slate closes at frames 10 and 90, confirmed by ann, bea"
    assert story.standing().confirmed_by == "bea"


def test_a_moved_clap_knows_where_it_was_seen():
    (clap,) = Story(10).move(10, 12).accept(12).standing().claps
    assert (clap.frame, clap.moved, clap.added) == (12, 2, False)
    assert clap.seen is not None and clap.seen.frame == 10
    (clap,) = Story(10).move(10, 12).rescan(9).standing().claps
    assert (clap.frame, clap.moved) == (12, 2)
    assert clap.seen is not None and clap.seen.frame == 9


def test_what_remains_open_is_said():
    assert Story(10, 90).accept(10).standing().reason == "a clap at frame 90 is not confirmed yet"
    assert "every clap was rejected" in Story(10).reject(10).standing().reason
    assert Story(10).accept(10).undo().standing("sure").verdict == "sure"
    assert Story(10).say("mos", by="bea").standing().reason == "bea said: MOS, no clap"


@pytest.mark.parametrize(
    ("claps", "frames", "tail"),
    [([], 100, False), ([80], 100, True), ([10], 100, False), ([10, 80], 100, False), ([80], None, False)],
)
def test_a_tail_slate_claps_near_the_end(claps, frames, tail):
    assert is_tail(claps, frames) is tail
