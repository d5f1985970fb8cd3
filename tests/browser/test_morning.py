"""An assistant editor's morning, with keys alone: twelve clips in, every clap looked at, the files out."""

from __future__ import annotations

import json
import re
import zipfile
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

import pytest

from secondsticks.markers import MarkedClip
from tests.browser.conftest import PASSWORD
from tests.browser.hands import Reviewer
from tests.markers import readers
from tests.markers.takes import frame_of
from training.render.clips import KINDS, ClipSpec, ClipTruth, render_clip

pytestmark = pytest.mark.browser
SCAN_WAIT = 900_000  # scans on a busy machine; a limit on waiting, not a measurement
SIZE = (480, 270)
FILM, VIDEO, FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
ROUGH: Any = {"clean": False}  # as sets are: dim, tilted, out of focus
SHOOT = {
    "A001C01.mov": ClipSpec("head", FILM, SIZE, 4, "01:00:00:00", seed=900300, **ROUGH),
    "A001C02.mov": ClipSpec("tail", Fraction(25), SIZE, 5, "10:12:30:00", seed=22),
    "A001C03.mov": ClipSpec("second_sticks", VIDEO, SIZE, 4, "00:59:57;00", drop_frame=True, seed=23),
    "A001C04.mov": ClipSpec("mos", Fraction(24), SIZE, 3, "14:20:00:00", seed=24, audio=False),
    "A001C05.mp4": ClipSpec("no_slate", Fraction(24), SIZE, 2, seed=25),
    "A001C06.mov": ClipSpec("late", VIDEO, SIZE, 5, "02:00:00:00", seed=26, sample_rate=44_100),
    "A001C07.mov": ClipSpec("slate_in_frame_0", Fraction(30), SIZE, 4, "23:59:59:10", seed=900303, **ROUGH),
    "A001C08.mov": ClipSpec("cut_off", Fraction(25), SIZE, 3, seed=28),
    "A001C09.mov": ClipSpec("closed_then_opened", Fraction(50), SIZE, 4, "05:00:00:00", seed=29),
    "A001C10.mov": ClipSpec("soft_sticks", Fraction(48), SIZE, 3, "06:00:00:00", seed=30),
    "A001C11.mov": ClipSpec("tail_turned", FAST, SIZE, 5, "23:59:57;00", drop_frame=True, seed=31),
    "A001C12.mp4": ClipSpec("head", Fraction(25), SIZE, 3, seed=32, audio=False),
}  # fmt: skip
#: More corrections than this, and the scan would not be worth its time.
CORRECTIONS = 4


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, ClipTruth]:
    folder = tmp_path_factory.mktemp("card")
    assert {spec.kind for spec in SHOOT.values()} == set(KINDS)
    return {folder / name: render_clip(spec, folder / name) for name, spec in SHOOT.items()}


def test_a_morning(page, product, truths) -> None:
    from playwright.sync_api import expect

    known = {path.name: truth for path, truth in truths.items()}
    person = Reviewer(page, known)
    person.sign_in(PASSWORD)
    person.make_project("Morning")
    person.upload(list(truths))
    expect(page.locator(".clip-table .verdict .badge")).to_have_count(len(known), timeout=SCAN_WAIT)

    review = page.locator("#review-all")
    doubtful = page.locator(".clip-table tr:has(.badge.look)").count()
    expect(review).to_contain_text(f"Review {doubtful} clip")
    person.follow(review)
    expect(page.locator("#review")).to_be_visible()
    err_and_put_it_right(person)
    while not person.is_done:
        person.settle()
    expect(page.locator("#reviewed")).to_contain_text("Nothing needs a look any more")
    assert len(person.seen) == doubtful
    assert len(person.corrected) <= CORRECTIONS, person.corrected

    accept_the_sure_ones(person)
    files = unpacked(person.export("All of them in a zip"))
    assert claps_in(files, known) == {}
    rows = readers.read_csv(files["claps.csv"].removeprefix("\ufeff"))
    decided = {row["clip"]: row for row in rows if row["clip"] in person.seen}
    assert decided.keys() == set(person.seen)
    assert {row["confirmed_by"] for row in decided.values() if row["frame"]} == {"admin"}
    for name in decided:
        if not known[name].claps:
            assert decided[name]["verdict"] == ("mos" if known[name].kind == "mos" else "no slate")


def err_and_put_it_right(person: Reviewer) -> None:
    """What fingers do on the way: a nudge dropped, one kept by mistake, a clap taken away and set by hand."""
    from playwright.sync_api import expect

    while not person.frames():
        person.settle()
    name, (first, *_) = person.clip, person.frames()
    page, outlined = person.page, person.page.locator("#strip .closed span")
    expect(page.locator("#strip img[src]")).to_have_count(9)
    if person.truths[name].clap_samples:
        expect(page.locator("#wave .loud")).to_have_attribute("d", re.compile("M"))
    person.press("ArrowRight")
    expect(page.locator("#draft")).to_contain_text("Moved 1 frame later")
    person.press("Escape")
    expect(outlined).to_have_text(str(first))

    person.press("ArrowRight")
    person.leave("Enter")
    person.leave("b")
    assert person.clip == name and person.frames()[0] == first + 1
    person.decide("u")
    expect(page.locator("#review .badge.look")).to_be_visible()
    assert person.frames()[0] == first

    person.decide("x")
    expect(page.locator("#review .said")).to_contain_text("rejected")
    person.decide("a")
    assert first in person.frames()


def accept_the_sure_ones(person: Reviewer) -> None:
    page = person.page
    person.follow(page.get_by_role("link", name="Back to the board"))
    person.follow(page.get_by_role("link", name="Accept sure clips"))
    person.follow(page.get_by_role("button", name="Accept", exact=False))
    page.locator(".notice.success").wait_for()
    person.follow(page.get_by_role("link", name="Back to the board"))
    page.locator(".clip-table").wait_for()


def unpacked(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def claps_in(files: dict[str, str], known: dict[str, ClipTruth]) -> dict[str, dict[str, list[int]]]:
    """File -> clip -> the frames of its markers, where they are not the truth. Every file is read."""
    clips = {name: shot(name, truth) for name, truth in known.items()}
    found = {name: read(name, text, clips) for name, text in files.items() if name != "READ ME.txt"}
    kinds = {PurePath(name).suffix for name in found}
    assert kinds == {".csv", ".json", ".edl", ".txt", ".ale", ".fcpxml", ".xml", ".otio"}
    everywhere = ("claps.csv", "claps.json", "claps.fcpxml", "claps.xml", "claps.otio")
    assert all(found[name].keys() == known.keys() for name in everywhere)
    for ending, where in ((".edl", "resolve"), (".txt", "avid"), (".ale", ".")):
        told = [clip for name in found if name.endswith(ending) for clip in found[name] if found[name][clip]]
        assert sorted(told) == [name for name, truth in known.items() if truth.claps], where
    return {
        name: wrong
        for name, told in found.items()
        if (wrong := {clip: frames for clip, frames in told.items() if frames != known[clip].claps})
    }


def shot(name: str, truth: ClipTruth) -> MarkedClip:
    """A clip as the camera report has it."""
    start = truth.start_timecode
    return MarkedClip(
        name=name, rate=truth.rate, frames=truth.frames, start_timecode=start,
        drop_frame=";" in (start or ""),
    )  # fmt: skip


def read(name: str, text: str, clips: dict[str, MarkedClip]) -> dict[str, list[int]]:
    """Clip -> frames of its markers, from one file."""
    match PurePath(name).suffix:
        case ".csv":
            return from_rows(readers.read_csv(text.removeprefix("\ufeff")), clips)
        case ".json":
            return {
                one["path"]: [clap["frame"] for clap in one["claps"]] for one in json.loads(text)["clips"]
            }
        case ".ale":
            return from_ale(readers.read_ale(text)[1], clips)
        case ".edl" | ".txt":
            stem = PurePath(name).name.split("-claps")[0]
            clip = next(clip for clip in clips.values() if PurePath(clip.name).stem == stem)
            reader = readers.read_edl if name.endswith(".edl") else readers.read_avid
            return {clip.name: [one.frame for one in reader(text, clip)]}
        case ".xml":
            both = [pair for pairs in readers.read_fcp7(text).values() for pair in pairs]
            return {clip.name: [one.frame for one in found] for clip, found in both}
    markers = readers.read_fcpxml(text) if name.endswith(".fcpxml") else readers.read_otio(text)
    return {clip: [one.frame for one in found] for clip, found in zip(sorted(clips), markers, strict=True)}


def from_rows(rows: list[dict[str, str]], clips: dict[str, MarkedClip]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {name: [] for name in clips}
    for row in rows:
        if row["frame"]:
            found[row["clip"]].append(int(row["frame"]))
            assert frame_of(row["timecode"], clips[row["clip"]]) == int(row["frame"])
    return found


def from_ale(rows: list[dict[str, str]], clips: dict[str, MarkedClip]) -> dict[str, list[int]]:
    stems = {PurePath(clip.name).stem: clip for clip in clips.values()}
    return {
        stems[row["Name"]].name: [
            frame_of(row[column], stems[row["Name"]]) for column in ("Clap TC", "Clap 2 TC") if row[column]
        ]
        for row in rows
    }
