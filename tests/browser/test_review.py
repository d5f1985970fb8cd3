"""Reviewing with keys alone: nudge, accept, MOS, undo, and the next clip comes by itself."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests.browser.conftest import PASSWORD, ROOT
from training.render.clips import ClipSpec, ClipTruth, render_clip

pytestmark = pytest.mark.browser
SCAN_WAIT = 900_000  # a scan on a busy machine; a limit on waiting, not a measurement


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ClipTruth]]:
    folder = tmp_path_factory.mktemp("takes")
    size, film = (640, 360), Fraction(24000, 1001)
    wanted = {
        "B001_clap.mov": ClipSpec(kind="head", rate=film, seed=11, seconds=5, size=size),
        "B002_mos.mov": ClipSpec(kind="mos", rate=Fraction(24), seed=14, seconds=4, size=size, audio=False),
        "B003_silent.mp4": ClipSpec(
            kind="head", rate=Fraction(25), seed=13, seconds=5, size=size, audio=False
        ),
    }
    return {name: (folder / name, render_clip(spec, folder / name)) for name, spec in wanted.items()}


def doubt_every_clip(product) -> None:
    """Make each scan one that a person must look at, whatever the shipped checkpoint thinks of it."""
    unset = {"DATABASE_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    words = "from secondsticks.detection.models import Scan; Scan.objects.update(verdict='look')"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", words],
        cwd=ROOT, env=environment | {"SECONDSTICKS_HOME": str(product.home)}, check=True,
    )  # fmt: skip


def test_three_clips_with_keys_alone(page, product, footage) -> None:
    from playwright.sync_api import expect

    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name").fill("Morning")
    page.keyboard.press("Enter")
    page.locator("#upload-files").set_input_files([path for path, _ in footage.values()])
    for name in footage:
        row = page.locator(".clip-table tr", has_text=name)
        row.locator(".badge:not(.working)").wait_for(timeout=SCAN_WAIT)
    board = page.url
    doubt_every_clip(product)
    page.reload()

    page.get_by_role("link", name="Review 3 clips").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("B001_clap.mov")
    expect(page.locator("#strip img[src]")).to_have_count(9)
    expect(page.locator("#strip .closed")).to_have_count(1)
    expect(page.locator("#wave .loud")).to_have_attribute("d", re.compile("M"))
    nudge_to(page, footage["B001_clap.mov"][1].claps[0])
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("B002_mos.mov")
    expect(page.locator("#wave")).to_be_hidden()
    page.keyboard.press("m")

    expect(page.get_by_role("heading", level=1)).to_have_text("B003_silent.mp4")
    page.keyboard.press("x")
    expect(page.locator("#review .said").first).to_contain_text("rejected")
    page.keyboard.press("u")
    expect(page.locator("#review .go")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#reviewed h2")).to_have_text("Nothing needs a look any more")

    page.keyboard.press("b")
    expect(page.locator("#review .check-mark")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#review .badge.look")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#reviewed")).to_contain_text("3 of them confirmed")

    table = page.request.get(f"{board}export/csv/").body().decode("utf-8-sig")
    rows = {row["clip"]: row for row in csv.DictReader(io.StringIO(table))}
    assert int(rows["B001_clap.mov"]["frame"]) == footage["B001_clap.mov"][1].claps[0]
    assert rows["B002_mos.mov"]["verdict"] == "mos"
    assert "admin" in rows["B001_clap.mov"].values() and "admin" in rows["B003_silent.mp4"].values()


def nudge_to(page, frame: int) -> None:
    """Press arrows until the outlined frame is this one; without a need for it, go there and back."""
    from playwright.sync_api import expect

    here = int(page.locator("#review .go").first.get_attribute("data-frame"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#draft")).to_contain_text("Moved 1 frame later")
    page.keyboard.press("Escape")
    expect(page.locator("#strip .closed span")).to_have_text(str(here))
    for _ in range(abs(frame - here)):
        page.keyboard.press("ArrowRight" if frame > here else "ArrowLeft")
    expect(page.locator("#strip .closed span")).to_have_text(str(frame))
    expect(page.locator("#frame")).to_have_text(str(frame))
