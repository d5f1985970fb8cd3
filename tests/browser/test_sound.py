"""A recorder's files dropped beside the clips: each clip finds its own, and a person can say otherwise."""

from __future__ import annotations

import csv
import io
import os
from fractions import Fraction
from pathlib import Path

import pytest

from tests.browser.test_newcomer import SCAN_WAIT, new_project, sign_in
from tests.training.clicking import Track, samples_of
from tests.training.sound.test_files import IXML, write
from training.render.clips import ClipSpec, render_clip

pytestmark = pytest.mark.browser
RATE = 48_000
HOUR = Fraction(36_036, 10)  # of 01:00:00:00 at 23.976
#: The recorder began so many seconds before the camera.
EARLIER = 7


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A clip, the file recorded with it, a file of another time, and one that is broken."""
    folder = tmp_path_factory.mktemp("card")
    spec = ClipSpec(
        kind="head", rate=Fraction(24000, 1001), seed=11, seconds=4, size=(640, 360),
        start_timecode="01:00:00:00",
    )  # fmt: skip
    truth = render_clip(spec, folder / "A001_C001.mov")
    claps = [EARLIER * RATE + sample for sample in truth.clap_samples]
    sound = samples_of(Track(clicks=claps, seconds=EARLIER + 6))
    write(folder / "12A-T03.wav", sound, reference=round((HOUR - EARLIER) * RATE), ixml=IXML)
    write(folder / "12A-T04.wav", samples_of(Track(clicks=())), reference=9 * 3600 * RATE, ixml=IXML)
    (folder / "12A-T05.wav").write_text("cut off before its first byte of sound")
    return sorted(folder.iterdir())


def shown(page, name: str) -> None:
    """Keep a picture of the page where a person wants to look at it."""
    if folder := os.environ.get("PICTURES_OF_TESTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True, caret="initial")


def test_a_clip_finds_its_sound_and_takes_a_persons_word(page, product, card) -> None:
    sign_in(page, product)
    new_project(page, "Night Train with sound")
    page.locator("#upload-files").set_input_files([str(path) for path in card])
    page.get_by_role("link", name="3 sound files").wait_for()
    page.get_by_text("1 refused").wait_for()
    page.locator("#clips .badge.sure, #clips .badge.look").first.wait_for(timeout=SCAN_WAIT)
    shown(page, "board")
    page.get_by_role("link", name="3 sound files").click()
    page.get_by_text("This is not a WAV file.").wait_for()
    shown(page, "sound-files")
    page.get_by_role("link", name="Night Train with sound").click()
    page.get_by_role("link", name="A001_C001.mov").click()
    card_shown = page.locator("#sound-link")
    card_shown.get_by_text("timecode and sound agree").wait_for()
    shown(page, "clip")

    before = offsets(page)
    assert before["sound_file"] == "12A-T03.wav" and before["sound_sure"] == "yes"
    assert abs(int(before["sound_offset_samples"]) - EARLIER * RATE) < RATE / 500

    card_shown.get_by_text("Change").click()
    shown(page, "clip-change")
    card_shown.get_by_role("button", name="One frame later").click()
    card_shown.get_by_text("by hand").first.wait_for()
    after = offsets(page)
    assert int(after["sound_offset_samples"]) - int(before["sound_offset_samples"]) == 2002
    assert after["sound_how"] == "by hand"
    page.set_viewport_size({"width": 390, "height": 844})
    card_shown.get_by_text("Change").click()
    card_shown.get_by_text("How it came about").click()
    shown(page, "clip-phone")
    card_shown.get_by_role("button", name="Unlink").click()
    card_shown.get_by_text("unlinked", exact=True).wait_for()
    assert offsets(page)["sound_file"] == ""
    card_shown.get_by_text("Link by hand").click()
    card_shown.get_by_role("button", name="Find it again").click()
    card_shown.get_by_text("timecode and sound agree").wait_for()
    page.goto(page.get_by_role("link", name="12A-T03.wav").get_attribute("href"))
    shown(page, "sound-files-phone")


def offsets(page) -> dict[str, str]:
    """The line that the clip has in the CSV just now."""
    address = page.url.split("#")[0].split("?")[0] + "export/csv/"
    (line,) = csv.DictReader(io.StringIO(page.request.get(address).text()))
    return line
