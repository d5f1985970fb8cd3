"""Claps from states over time, each case as a line: one letter a frame (see SCORES)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.claps.claps import Reading, Sighting, Verdict, read_claps
from training.slates import Box

RATE = Fraction(24000, 1001)

#: Letter -> (open, closed). Capitals are certain, small letters as a good detector says it, digits are doubt.
SCORES = {
    "-": (0.0, 0.0),  # looked, nothing there
    "O": (0.99, 0.0),
    "C": (0.0, 0.99),
    "o": (0.85, 0.1),
    "c": (0.1, 0.85),
    "a": (0.35, 0.85),  # almost shut
    "u": (0.4, 0.1),  # blurred, rather open
    "d": (0.1, 0.4),  # blurred, rather closed
    "w": (0.5, 0.25),  # there, perhaps open
    "v": (0.25, 0.5),  # there, perhaps closed
    "?": (0.5, 0.5),  # a slate, but how?
    "f": (0.35, 0.0),  # faint
    ".": (0.06, 0.05),  # the detector's noise
}


def sightings(line: str, *, first: int = 0) -> list[Sighting]:
    """A frame for each letter; blanks are frames that were not looked at."""
    return [
        Sighting(first + i, *SCORES[letter], box=Box(i, 0, 10, 10) if letter not in "-." else None)
        for i, letter in enumerate(line)
        if letter != " "
    ]


def read(line: str, *, rate: Fraction = RATE, first: int = 0) -> Reading:
    return read_claps(sightings(line, first=first), rate=rate)


def frames(reading: Reading) -> list[int]:
    return [clap.frame for clap in reading.claps]


GONE = "-" * 30  # longer than a second: what comes after is another appearance
SURE, LOOK, MOS, NO_SLATE = Verdict.SURE, Verdict.LOOK, Verdict.MOS, Verdict.NO_SLATE

TABLE = [
    # the plain clap: first closed, never last open
    ("ooocc c", [3], SURE),
    ("oooccc", [3], SURE),
    ("OOOCC", [3], LOOK),
    ("----ooooccccc---", [8], SURE),
    ("----OOOOCCCCC---", [8], SURE),
    ("oooooocccccc", [6], SURE),
    # nothing
    ("", [], NO_SLATE),
    ("-", [], NO_SLATE),
    ("-----------", [], NO_SLATE),
    ("..--..--...", [], NO_SLATE),
    ("--f--------", [], NO_SLATE),
    # MOS: closed as long as it is seen
    ("cccccccccccc", [], MOS),
    ("----ccccccccc----", [], MOS),
    ("----CCCCCC", [], MOS),
    ("--cccc-cccc--cc--", [], MOS),
    ("--ccccoccccccc--", [], MOS),
    ("--ccccooccccc--", [], MOS),
    ("cc" + GONE, [], LOOK),
    # open and never closed, also to the end of the clip
    ("---ooooooo---", [], LOOK),
    ("---ooooooo", [], LOOK),
    ("ooooooo", [], LOOK),
    ("--oooocoooo--", [], LOOK),
    ("--ooooccoooo--", [], LOOK),
    ("--oooo----oo--", [], LOOK),
    # opened after it was shown closed
    ("ccccccooooooo---", [], LOOK),
    ("ccccccoooooocccccc---", [12], SURE),
    ("--cccc------ooooooccccc", [18], SURE),
    # second sticks
    ("--oooooccccccooooooocccccc--", [7, 20], SURE),
    ("oooocccc" + GONE + "oooocccc", [4, 42], SURE),
    ("oooocccc" + GONE + "oooocc", [4, 42], LOOK),
    ("ooooccccooooccccoooocccc", [4, 12, 20], SURE),
    # the slate leaves by opening again: that is no second clap and no doubt
    ("--oooooccccccoooo---", [7], SURE),
    ("--oooooccccccoo---", [7], SURE),
    # a slate that comes back open and stays so after the clap
    ("--ooooocccccc" + GONE + "oooooooo", [7], LOOK),
    ("--oooooooo" + GONE + "oooooccccccc", [45], SURE),
    ("--ooooocccccc" + GONE + "cccccc", [7], SURE),
    # open in one appearance, closed in another: not seen to close
    ("oooooo" + GONE + "cccccc", [], LOOK),
    ("cccccc" + GONE + "oooooo", [], LOOK),
    # misread frames: no false clap, no shift
    ("oooocoooooccccccc", [10], SURE),
    ("oooooooccccccoccccc", [7], SURE),
    ("oooooooccccccooccccc", [7], SURE),
    ("oooooooccccccc-ccccc", [7], SURE),
    ("ooo-oooocccccc", [8], SURE),
    ("oooooo?oooooccccccc", [12], SURE),
    ("oooooo-cccccc", [7], LOOK),
    ("oooooo---cccccc", [9], LOOK),
    ("oooooo.cccccc", [7], LOOK),
    ("ooooo" + "-" * 20 + "ccccc", [25], LOOK),
    ("oooooo?cccccc", [7], LOOK),
    ("ooooooucccccc", [7], SURE),
    ("oooooodcccccc", [6], SURE),
    # bounce after contact: the first contact is the clap
    ("ooooooocoocccccc", [7], LOOK),
    ("ooooooococcccccc", [7], LOOK),
    ("ooooooocccocccccc", [7], LOOK),
    ("OOOOOOOCOOCCCCCC", [7], LOOK),
    ("ooooooococcoccccc", [7], LOOK),
    # cut off: too little on one side
    ("occcccc", [1], LOOK),
    ("OCCCCCC", [1], LOOK),
    ("oocccccc", [2], LOOK),
    ("------ooooooc", [12], LOOK),
    ("------oooooocc--", [12], LOOK),
    ("oc", [1], LOOK),
    # faint or fleeting
    ("----f-f-fff---", [], LOOK),
    ("------o------", [], LOOK),
    ("------c------", [], LOOK),
    ("--ffff" + GONE + "ooooocccccc", [41], SURE),
    ("uuuuuudddddd", [], LOOK),
    # frames that were not looked at
    ("o  o  o  ooocccc  c  c", [12], SURE),
    ("o   o   o   c   c   c", [12], LOOK),
]


@pytest.mark.parametrize(("line", "claps", "verdict"), TABLE)
def test_table(line: str, claps: list[int], verdict: Verdict) -> None:
    reading = read(line)
    assert (frames(reading), reading.verdict) == (claps, verdict), reading


FAR, FILM = "-" * 200, "-" * 120
SLATING = {
    # how slating is practised: what the frames show, the claps, the verdict
    "head slate": ("---ooooooooccccccc" + FILM, [11], SURE),
    "late slate": (FAR + "oooooooocccccc---", [208], SURE),
    "slate in frame 0": ("ooooooccccccc" + FILM, [6], SURE),
    "closed in frame 0": ("ccccccc" + FILM, [], MOS),
    "slate cut off at the end before it closes": (FILM + "ooooooooo", [], LOOK),
    "slate cut off right after it closes": (FILM + "oooooooooc", [129], LOOK),
    "tail slate, upside down": (FILM + "oooooooocccccc--", [128], SURE),
    "tail slate, turned upright before the clap": (FILM + "ooooo.?.?oooooocccccc--", [135], SURE),
    "tail slate, not seen while it is turned": (FILM + "ooooo" + "-" * 9 + "oooooocccccc--", [140], SURE),
    "head slate in a clip that has a tail slate too": ("ooooocccccc" + FILM + "ooooocccccc", [5, 136], SURE),
    "second sticks": ("oooooccccccc-cccccooooooooocccccc--", [5, 27], SURE),
    "MOS, held closed": ("---ccccccccccc" + FILM, [], MOS),
    "MOS, closed slate that is opened a finger wide": ("---cccccc?ccccccc" + FILM, [], MOS),
    "closed slate shown before it is opened": ("--ccccccccooooooooooccccccc--", [20], SURE),
    "soft sticks, closed slowly": ("--oooooooou?dcccccccc--", [12], LOOK),
    "two cameras, from the front": ("--OOOOOOOOCCCCCCCC--", [10], SURE),
    "two cameras, from the side": ("--oooooooocccccccc--", [10], SURE),
    "two cameras, the second one far away": ("--uuuuuuuudddddddd--", [], LOOK),
    "slate that leaves the picture open": ("--ooooooooo" + FILM, [], LOOK),
}


@pytest.mark.parametrize(("line", "claps", "verdict"), SLATING.values(), ids=list(SLATING))
def test_slating_as_it_is_practised(line: str, claps: list[int], verdict: Verdict) -> None:
    reading = read(line)
    assert (frames(reading), reading.verdict) == (claps, verdict), reading


REASONS = [
    ("oooooccccc", "the slate closes at frame 5"),
    ("oooooccccc" + "-" * 40, "the slate closes at frame 5"),
    ("-" * 90 + "oooooccccc", "the slate closes at frame 95, near the end of the clip"),
    ("oooooccccooooooccccc", "second sticks: the slate closes at frames 5 and 15"),
    ("ooooo---ccccc", "the sticks are not seen for 3 frames between open and closed"),
    ("ooooo-ccccc", "the sticks are not seen for 1 frame between"),
    ("oooooc--", "only 1 frame clearly showing them closed before the slate leaves"),
    ("oooooc", "only 1 frame clearly showing them closed before the clip ends"),
    ("occccc", "only 1 frame clearly showing the sticks open before it"),
    ("ooooocoocccc", "the sticks flicker"),
    ("ooooo?ccccc", "hard to tell apart at that frame"),
    ("--cccccc--", "MOS"),
    ("ooooccccooooocc", "but at frame 13 only 2 frames"),
    ("cccccc--", "a clap before the first frame would not show"),
    ("--ooooo---", "open slate seen from frame 2 to 6, never seen to close"),
    ("--ooooo", "before the clip ends"),
    ("--ccccooooo--", "closed only at frame 2"),
    ("ooooo" + GONE + "ccccc", "when a slate comes back at frame 35, it is closed"),
    ("-" * 50 + "fff--", "0:02 (frame 50)"),
    ("----", "no slate is seen in the whole clip"),
]


@pytest.mark.parametrize(("line", "words"), REASONS)
def test_the_reason_says_why(line: str, words: str) -> None:
    assert words in read(line).reason


def leaning(opened: tuple[float, float], closed: tuple[float, float]) -> Reading:
    """A slate, open and then closed for 20 frames each, by a detector that leans."""
    return read_claps([Sighting(i, *(opened if i < 20 else closed)) for i in range(40)], rate=RATE)


@pytest.mark.parametrize(
    ("opened", "closed", "verdict"),
    [
        ((0.97, 0.3), (0.5, 0.75), Verdict.LOOK),
        ((0.99, 0.02), (0.72, 0.57), Verdict.LOOK),
        ((0.55, 0.7), (0.02, 0.95), Verdict.LOOK),
        ((0.97, 0.05), (0.35, 0.8), Verdict.SURE),
    ],
)
def test_a_plain_change_is_a_clap_also_where_the_detector_leans(
    opened: tuple[float, float], closed: tuple[float, float], verdict: Verdict
) -> None:
    reading = leaning(opened, closed)
    assert (frames(reading), reading.verdict) == ([20], verdict), reading


def test_a_clap_between_two_frames_of_the_same_state_says_so() -> None:
    assert "takes both sides for the same state" in leaning((0.99, 0.02), (0.72, 0.57)).reason


def test_a_few_odd_frames_are_no_second_group() -> None:
    line = "?" + "-" * 14 + "?" + "o" * 51 + "?"
    assert frames(read(line)) == []


def test_small_wavering_is_no_change() -> None:
    assert frames(leaning((0.75, 0.5), (0.65, 0.55))) == []


def test_a_slate_that_is_hardly_closed_is_not_called_mos() -> None:
    reading = leaning((0.45, 0.7), (0.42, 0.7))
    assert reading.verdict is Verdict.LOOK
    assert "perhaps MOS" in reading.reason


def test_a_plain_sure_reason_has_no_but() -> None:
    assert "but" not in read("oooooccccc").reason


def test_the_clap_knows_its_neighbour_and_its_box() -> None:
    (clap,) = read("ooooo--cccc").claps
    assert (clap.frame, clap.last_open, clap.box) == (7, 4, Box(7, 0, 10, 10))


def test_confidence_falls_with_every_doubt() -> None:
    lines = ["OOOOOCCCCC", "oooooccccc", "ooooo-ccccc", "ooooo--ccccc", "ooooo-----ccccc"]
    confidences = [read(line).claps[0].confidence for line in lines]
    assert confidences == sorted(confidences, reverse=True)
    assert len(set(confidences)) == len(confidences)


def test_order_of_the_sightings_does_not_matter() -> None:
    given = sightings("--ooooocccc--")
    assert read_claps(given[::-1], rate=RATE) == read_claps(given, rate=RATE)


def test_one_frame_cannot_be_seen_twice() -> None:
    with pytest.raises(ValueError, match="two sightings"):
        read_claps([Sighting(3, 0.9, 0), Sighting(3, 0, 0.9)], rate=RATE)


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-25)])
def test_a_rate_is_positive(rate: Fraction) -> None:
    with pytest.raises(ValueError, match="positive"):
        read_claps([], rate=rate)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(48), Fraction(60)])
def test_every_rate_finds_the_first_closed_frame(rate: Fraction) -> None:
    reading = read("-" * 9 + "o" * 20 + "c" * 20 + "-" * 9, rate=rate)
    assert (frames(reading), reading.verdict) == ([29], SURE)


def test_at_60_a_bounce_lasts_more_frames() -> None:
    assert frames(read("o" * 20 + "ccc" + "oooo" + "c" * 20, rate=Fraction(60))) == [20]


def test_a_gap_of_a_second_is_counted_in_frames_of_the_rate() -> None:
    line = "ooooo" + "-" * 30 + "ccccc"
    assert frames(read(line, rate=Fraction(25))) == []
    assert frames(read("o" * 9 + "-" * 30 + "c" * 9, rate=Fraction(60))) == [39]


scores = st.floats(0, 1, allow_nan=False)
stories = st.lists(st.tuples(scores, scores), max_size=80)
rates = st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
letters = st.text(alphabet="--OOoooCCcccud?f.", max_size=80)


def seen(story: list[tuple[float, float]], *, first: int = 0) -> list[Sighting]:
    return [Sighting(first + i, opened, closed) for i, (opened, closed) in enumerate(story)]


@settings(deadline=None)
@given(stories, rates)
def test_claps_stand_between_open_and_closed(story: list[tuple[float, float]], rate: Fraction) -> None:
    reading = read_claps(seen(story), rate=rate)
    assert reading == read_claps(seen(story), rate=rate)
    assert reading.reason
    last = -1
    for clap in reading.claps:
        assert last < clap.last_open < clap.frame < len(story)
        assert 0 <= clap.confidence <= 1
        before, after = story[clap.last_open], story[clap.frame]
        assert before[0] >= before[1] and after[1] > after[0]
        last = clap.frame
    if reading.verdict is SURE:
        assert reading.claps
    if reading.verdict in (MOS, NO_SLATE):
        assert not reading.claps


@settings(deadline=None)
@given(letters, st.integers(0, 200), st.integers(0, 60))
def test_time_before_and_after_changes_no_clap(line: str, before: int, after: int) -> None:
    plain = read(line)
    shifted = read("-" * before + line + "-" * after)
    assert [(one.frame - before, one.last_open - before, one.confidence) for one in shifted.claps] == [
        (one.frame, one.last_open, one.confidence) for one in plain.claps
    ]
    assert shifted.verdict == plain.verdict


@settings(deadline=None)
@given(letters, letters)
def test_separate_appearances_are_read_separately(one: str, other: str) -> None:
    both = frames(read(one + GONE + other))
    assert both == frames(read(one)) + [len(one + GONE) + frame for frame in frames(read(other))]


@settings(deadline=None)
@given(letters)
def test_never_a_clap_without_open_before_closed(line: str) -> None:
    assert not frames(read(line.translate(str.maketrans("OouÜ?f", "------"))))
    assert 0 not in frames(read(line))
