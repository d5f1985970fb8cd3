"""A stranger's first quarter of an hour: sign in, drop clips, see the claps, take the CSV home."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest

from training.render.clips import ClipSpec, ClipTruth, render_clip
from training.timecode import timecode_at

pytestmark = pytest.mark.browser
SCAN_WAIT = 900_000  # a scan on a busy machine; a limit on waiting, not a measurement


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ClipTruth]]:
    """Two clips with sound, one without, as the renderer clapped them."""
    folder = tmp_path_factory.mktemp("footage")
    wanted = {
        "A001_film.mov": ClipSpec(
            kind="head", rate=Fraction(24000, 1001), seed=11, seconds=5, size=(640, 360),
            start_timecode="01:00:00:00",
        ),
        "A002_video.mov": ClipSpec(
            kind="head", rate=Fraction(30000, 1001), seed=12, seconds=5, size=(640, 360),
            start_timecode="00:59:58;00", drop_frame=True,
        ),
        "A003_silent.mp4": ClipSpec(
            kind="head", rate=Fraction(25), seed=13, seconds=5, size=(640, 360), audio=False
        ),
    }  # fmt: skip
    return {name: (folder / name, render_clip(spec, folder / name)) for name, spec in wanted.items()}


def sign_in(page, product) -> None:
    from tests.browser.conftest import PASSWORD

    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def new_project(page, name: str) -> None:
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("heading", name=name).wait_for()


def test_a_stranger_gets_claps(page, product, footage, tmp_path) -> None:
    fake = tmp_path / "notes.mov"
    fake.write_text("Scene 12 was moved to Thursday.\n")
    sign_in(page, product)
    new_project(page, "Night shift")

    page.locator("#upload-files").set_input_files([*(path for path, _ in footage.values()), fake])
    for name in (*footage, fake.name):
        page.locator(".clip-table tr", has_text=name).wait_for()
    page.locator(".clip-table tr", has_text=fake.name).locator(".badge.refused").wait_for()
    assert "text" in page.locator(".clip-table tr", has_text=fake.name).inner_text()
    for name in footage:
        row = page.locator(".clip-table tr", has_text=name)
        row.locator(".badge.sure, .badge.look").wait_for(timeout=SCAN_WAIT)

    with page.expect_download() as download:
        page.locator("summary", has_text="Export").click()
        page.get_by_role("button", name="CSV").click()
    table = download.value.path().read_text("utf-8-sig")
    rows = {row["clip"]: row for row in csv.DictReader(io.StringIO(table))}
    assert set(rows) == {*footage, fake.name}
    for name, (_, truth) in footage.items():
        assert len(truth.claps) == 1
        frame = int(rows[name]["frame"])
        assert abs(frame - truth.claps[0]) <= 1, name
        start = truth.start_timecode
        assert rows[name]["timecode"] == timecode_at(frame, truth.rate, start, ";" in (start or ""))
    assert rows["A001_film.mov"]["fps"] == "24000/1001"
    assert ";" in rows["A002_video.mov"]["timecode"]


def test_the_player_shows_the_frame_of_the_clap(page, product, footage) -> None:
    from playwright.sync_api import expect

    sign_in(page, product)
    page.get_by_role("link", name="Night shift").click()
    page.get_by_role("link", name="A001_film.mov").click()
    clap = page.locator("li.clap .go").first
    wanted = int(clap.get_attribute("data-frame"))
    clap.click()
    expect(page.locator("#frame")).to_have_text(str(wanted))
    expect(page.locator("#timecode")).to_have_text(clap.locator(".timecode").inner_text())

    page.locator("#player").press(",")
    expect(page.locator("#frame")).to_have_text(str(wanted - 1))
    played = page.locator("#video").evaluate("video => video.currentTime")
    assert int(played * 24000 / 1001) == wanted - 1
