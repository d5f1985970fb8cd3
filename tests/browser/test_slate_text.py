"""Slates read by machine: turned on, suggested, accepted by keyboard, without a key lost for the review."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.browser.test_newcomer import SCAN_WAIT, new_project, sign_in
from training import slate_text
from training.render.clips import ClipSpec, render_clip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not slate_text.is_installed(), reason="the extra `ocr` is not installed"),
]
#: This seed's board says ROLL 74, SCENE 22D, TAKE 14.
SEED = 90_009


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "A001_C009.mov"
    spec = ClipSpec(kind="head", rate=Fraction(24), seed=SEED, seconds=4, size=(1280, 720))
    truth = render_clip(spec, path)
    written = next(slate.text for slate in truth.slates if slate)
    assert (written["ROLL"], written["SCENE"], written["TAKE"]) == ("74", "22D", "14")
    return path


def test_a_slate_is_read_and_accepted_by_keyboard(page, product, take) -> None:
    sign_in(page, product)
    new_project(page, "Slates")
    board = page.url
    page.goto(f"{board}settings/")
    page.get_by_label("Read the text on slates").check()
    page.locator("form", has=page.get_by_label("Read the text on slates")).get_by_role("button").click()
    page.get_by_text("Slates are read from now on").wait_for()
    page.goto(board)
    page.locator("#upload-files").set_input_files([str(take)])
    page.locator("#clips .badge.sure, #clips .badge.look").first.wait_for(timeout=SCAN_WAIT)
    page.get_by_role("link", name="A001_C009.mov").click()
    page.get_by_text("read by machine, not checked").wait_for()

    def focus() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))

    assert page.get_by_label("Scene").input_value() == "22D"
    page.keyboard.press("t")
    assert focus() == "slate-scene"
    page.keyboard.press("End")
    page.keyboard.type("m")  # a letter here, not MOS
    assert page.get_by_label("Scene").input_value() == "22Dm"
    page.keyboard.press("Escape")
    assert (page.get_by_label("Scene").input_value(), focus()) == ("22D", "BODY")
    page.keyboard.press("t")
    page.keyboard.press("Enter")
    page.get_by_text("accepted by admin").wait_for()
    page.wait_for_function("document.activeElement === document.body")
    page.keyboard.press("ArrowRight")  # the review has its keys again
    page.get_by_text("Moved 1 frame later").wait_for()

    page.goto(board)
    page.get_by_text("22D / 14").wait_for()
    exported = page.request.get(f"{board}export/csv/").text()
    assert ",22D,14,74," in exported and "accepted" in exported
