"""Which recorder's file belongs to a clip: by timecode, by claps, or honestly not."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.training.clicking import Track, samples_of
from tests.training.sound.test_files import CLAP, facts, heard, write
from tests.training.test_scan_rendered import Oracle, ignore
from training.claps.appearance import Clap
from training.documents import scan_document
from training.footage.facts import ClipFacts
from training.render.clips import ClipSpec, ClipTruth, render_clip
from training.scan import scan
from training.sound.files import SoundFile, probe_sound, read_sound
from training.sound.links import counts_alike, offset_by_timecode
from training.sound.matching import Certainty, Match, Recording, claps_of, match
from training.sound.transients import Transient, find_transients

RATE = 48_000
AT = 98_000 / RATE  # where CLAP is in its clip, in seconds
TEN = 36_000  # ten o'clock, in seconds
NTSC = Fraction(30000, 1001)


def clip(
    timecode: str | None = "10:00:00:00", rate: Fraction = Fraction(25), *, drop: bool = False
) -> ClipFacts:
    return replace(facts(rate, timecode, drop_frame=drop), frames=int(10 * rate), duration=Fraction(10))


def recording(
    name: str = "a.wav",
    start: float | None = TEN - 5,
    *sounds: Transient,
    seconds: int = 30,
    rate: int = RATE,
    **said: object,
) -> Recording:
    reference = None if start is None else round(start * rate)
    file = SoundFile(Path(name), rate, 1, 24, False, seconds * rate, time_reference=reference, **said)  # type: ignore[arg-type]
    return Recording(file, sounds)


def name_of(found: Match) -> str | None:
    return found.recording.name if found.recording else None


def test_timecode_and_the_clap_agree() -> None:
    there = recording("there.wav", TEN - 5, heard(AT + 5.01))
    found = match(clip(), [CLAP], [recording("before.wav", TEN - 500, heard(3)), there])
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "there.wav")
    assert found.link is not None and found.link.offset_samples == round(5.01 * RATE)
    assert found.reason == "timecode and sound agree: the clap is heard where timecode says"


def test_a_clap_far_from_where_timecode_has_it_is_for_a_person() -> None:
    found = match(clip(), [CLAP], [recording("a.wav", TEN - 5, heard(AT + 5.4))])
    assert (found.certainty, name_of(found)) == (Certainty.LOOK, "a.wav")
    assert found.reason == "a clap is heard 10.0 frames after where timecode has it"


def test_a_clap_that_is_not_heard_is_for_a_person() -> None:
    found = match(clip(), [CLAP], [recording()])
    assert (found.certainty, found.reason) == (
        Certainty.LOOK,
        "timecode alone says so; the clap is not heard there",
    )
    assert found.link is not None and found.link.offset_samples == 5 * RATE


def test_a_clip_without_a_clap_is_linked_by_timecode_alone() -> None:
    found = match(clip(), [], [recording("b.wav", TEN + 60), recording("a.wav", TEN - 5)])
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "a.wav")


def test_a_file_that_covers_a_part_of_the_clip() -> None:
    found = match(clip(), [], [recording("a.wav", TEN + 5)])
    assert found.certainty == Certainty.LOOK
    assert found.reason.endswith("the file covers only a part of the clip")
    assert found.link is not None and found.link.offset_samples == -5 * RATE


def test_of_two_files_with_that_timecode_the_one_that_hears_the_clap_is_it() -> None:
    """Time references know no date: the same time of another day fits as well."""
    other = recording("another day.wav", TEN - 9)
    found = match(clip(), [CLAP], [other, recording("this day.wav", TEN - 5, heard(AT + 5))])
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "this day.wav")


def test_two_files_with_that_timecode_and_no_clap() -> None:
    found = match(clip(), [], [recording("a.wav", TEN - 5), recording("b.wav", TEN - 9)])
    assert (found.certainty, name_of(found)) == (Certainty.LOOK, "a.wav")
    assert found.reason.endswith("b.wav covers this timecode too")


def test_tracks_of_one_take_in_files_of_their_own_are_no_rivals() -> None:
    tracks = [recording(f"T01_{n}.wav", TEN - 5, heard(AT + 5)) for n in (1, 2, 3)]
    found = match(clip(), [CLAP], tracks)
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "T01_1.wav")


def test_two_clips_of_two_cameras_share_one_file() -> None:
    shared = recording("a.wav", TEN - 5, heard(AT + 5))
    late = replace(CLAP, sample=CLAP.sample - RATE if CLAP.sample else None)
    for start, clap in (("10:00:00:00", CLAP), ("10:00:01:00", late)):
        found = match(clip(start), [clap], [shared])
        assert (found.certainty, name_of(found)) == (Certainty.SURE, "a.wav")


# --- without timecode ---


def test_one_clap_heard_in_one_file_is_a_suggestion() -> None:
    found = match(clip(None), [CLAP], [recording("a.wav", None, heard(7)), recording("quiet.wav", None)])
    assert (found.certainty, name_of(found)) == (Certainty.LOOK, "a.wav")
    assert found.link is not None and found.link.offset_samples == round((7 - AT) * RATE)


def test_one_clap_and_two_files_with_one_each_is_not_told() -> None:
    found = match(
        clip(None), [CLAP], [recording("a.wav", None, heard(7)), recording("b.wav", None, heard(2))]
    )
    assert (found.certainty, found.recording, found.link) == (Certainty.LOOK, None, None)
    assert found.reason == "a.wav and b.wav fit as well as each other"


def test_the_spacing_of_two_claps_tells_the_file() -> None:
    second = Clap(125, 0.9, 124, sample=98_000 + 3 * RATE, sample_rate=RATE)
    right = recording("right.wav", None, heard(4), heard(7), heard(19.3))
    wrong = recording("wrong.wav", None, heard(4), heard(9))
    found = match(clip(None), [CLAP, second], [wrong, right])
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "right.wav")
    assert found.reason == "2 claps are heard in both, equally far apart"


def test_a_clap_that_was_heard_and_not_seen_counts_too() -> None:
    result = {
        "facts": {"rate": "25"},
        "claps": [],
        "sound": {"heard": [{"sample": 98_000, "sample_rate": RATE, "confidence": 0.9}]},
    }
    (clap,) = claps_of(result)
    assert (clap.frame, clap.sample, clap.confidence) == (51, 98_000, 0.9)


def test_a_file_in_which_nothing_claps() -> None:
    found = match(clip(None), [CLAP], [recording("a.wav", None)])
    assert (found.certainty, found.recording) == (Certainty.NO_MATCH, None)
    assert found.reason == "no clap is heard in a sound file"


def test_a_clip_that_neither_claps_nor_has_timecode() -> None:
    found = match(clip(None), [], [recording("a.wav", TEN, heard(3))])
    assert (found.certainty, found.reason) == (
        Certainty.NO_MATCH,
        "no timecode says where, and the clip has no clap",
    )


def test_no_sound_file_at_all() -> None:
    assert match(clip(), [CLAP], []).certainty == Certainty.NO_MATCH


def test_a_loud_sound_does_not_outweigh_a_timecode_that_says_no() -> None:
    found = match(clip("14:00:00:00"), [CLAP], [recording("a.wav", TEN, heard(7))])
    assert (found.certainty, found.recording) == (Certainty.NO_MATCH, None)
    assert found.reason == "no sound file covers its timecode, 14:00:00:00"


def test_two_claps_against_timecode_are_for_a_person() -> None:
    second = Clap(125, 0.9, 124, sample=98_000 + 3 * RATE, sample_rate=RATE)
    found = match(clip("14:00:00:00"), [CLAP, second], [recording("a.wav", TEN, heard(4), heard(7))])
    assert (found.certainty, name_of(found)) == (Certainty.LOOK, "a.wav")


def test_clocks_that_nobody_set_do_not_meet_at_midnight() -> None:
    found = match(clip("00:00:00:00"), [], [recording("a.wav", 0)])
    assert found.certainty == Certainty.NO_MATCH


# --- recorders that count otherwise ---


@pytest.mark.parametrize(
    ("rate", "drop", "recorder", "flag", "start"),
    [
        (Fraction(24000, 1001), False, Fraction(24), False, 36_000),
        (Fraction(24), False, Fraction(24000, 1001), False, 36_036),
        (Fraction(25), False, Fraction(24), False, 36_000),
        (NTSC, True, NTSC, False, 36_036),
        (NTSC, False, NTSC, True, Fraction(1_078_920 * 1001, 30_000)),
    ],
)
def test_equal_labels_are_the_same_moment_whoever_counts(
    rate: Fraction, drop: bool, recorder: Fraction, flag: bool, start: Fraction
) -> None:
    """Ten o'clock by the label, at the rate of who wrote it; and a person is asked."""
    label = "10:00:00;00" if drop else "10:00:00:00"
    there = recording("a.wav", float(start) - 5, timecode_rate=recorder, drop_frame=flag)
    shown = clip(label, rate, drop=drop)
    offset = offset_by_timecode(shown, there.sound)
    assert offset is not None and abs(offset - 5 * RATE) <= 1
    assert not counts_alike(shown, there.sound)
    found = match(shown, [], [there])
    assert found.certainty == Certainty.LOOK
    assert found.reason.endswith("camera and recorder count timecode at different rates")


@pytest.mark.parametrize(
    ("rate", "recorder"),
    [(NTSC, Fraction(2997, 100)), (Fraction(50), Fraction(25)), (Fraction(60000, 1001), NTSC)],
)
def test_rates_that_count_the_same_seconds_are_alike(rate: Fraction, recorder: Fraction) -> None:
    assert counts_alike(clip(rate=rate), recording(timecode_rate=recorder).sound)


# --- from the files themselves ---

SPECS = {
    "23.976, 48 kHz": (ClipSpec("head", Fraction(24000, 1001), (160, 90), 3, seed=3), RATE, "RIFF"),
    "25, 44.1 kHz": (
        ClipSpec("second_sticks", Fraction(25), (160, 90), 4, seed=3, sample_rate=44_100),
        44_100,
        "RIFF",
    ),
    "29.97 drop-frame, RF64 at 96 kHz": (
        ClipSpec("head", NTSC, (160, 90), 3, seed=3, drop_frame=True, start_timecode="10:00:00;00"),
        96_000,
        "RF64",
    ),
    "without sound": (ClipSpec("head", Fraction(25), (160, 90), 3, seed=3, audio=False), RATE, "RIFF"),
}


def rendered(spec: ClipSpec, folder: Path) -> tuple[ClipFacts, list[Clap], ClipTruth]:
    path = folder / "clip.mov"
    truth = render_clip(spec, path)
    oracle = Oracle(path, truth)
    result = scan_document(scan(path, oracle, on_progress=ignore), oracle)
    return ClipFacts.from_json(result["facts"]), claps_of(result), truth


def recorded(
    path: Path, truth: ClipTruth, offset: Fraction, rate: int, form: str, start: Fraction | None
) -> Recording:
    """A file that begins `start` seconds after midnight, and the clip `offset` seconds after it."""
    times = [Fraction(sample, truth.sample_rate) for sample in truth.clap_samples]
    times = times or [(frame - Fraction(1, 4)) / truth.rate for frame in truth.claps]
    claps = [round((offset + time) * rate) for time in times]
    samples = samples_of(Track(clicks=claps, rate=rate, seconds=float(offset) + 6))
    reference = None if start is None else round(start * rate)
    sound = probe_sound(write(path, samples, rate=rate, form=form.encode(), reference=reference))
    return Recording(sound, find_transients(read_sound(sound)).transients)


@pytest.mark.parametrize(("spec", "rate", "form"), SPECS.values(), ids=list(SPECS))
def test_rendered_clips_are_found_in_their_files(
    tmp_path: Path, spec: ClipSpec, rate: int, form: str
) -> None:
    spec = replace(spec, start_timecode=spec.start_timecode or "10:00:00:00")
    shown, claps, truth = rendered(spec, tmp_path)
    begins = Fraction(offset_by_timecode(shown, recording("midnight.wav", 0).sound) or 0, RATE)
    offset = Fraction(5, 2)
    there = recorded(tmp_path / "there.wav", truth, offset, rate, form, begins - offset)
    later = recorded(tmp_path / "later.wav", truth, offset, rate, form, begins + 600)
    found = match(shown, claps, [later, there])
    assert (found.certainty, name_of(found)) == (Certainty.SURE, "there.wav"), found.reason
    assert found.link is not None and found.link.how == "claps"
    within = Fraction(1, 500) if spec.audio else 1 / (2 * spec.rate)
    assert abs(Fraction(found.link.offset_samples, rate) - offset) < within
    assert abs(found.link.offset_frames - offset * spec.rate) < within * spec.rate
