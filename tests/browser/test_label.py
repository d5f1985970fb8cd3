"""An annotator labels twenty queued frames with keys alone; two people on one queue see different ones."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tests.browser.conftest import PASSWORD
from tests.browser.hands import Hands
from training.render.clips import ClipSpec, render_clip

pytestmark = pytest.mark.browser
SCAN_WAIT = 900_000  # scans on a busy machine; a limit on waiting, not a measurement
WANTED = 20
SIZE = (480, 270)
CLIPS = {
    "B001C01.mov": ClipSpec("head", Fraction(24), SIZE, 3, seed=900310, clean=False, audio=False),
    "B001C02.mov": ClipSpec("second_sticks", Fraction(25), SIZE, 3, seed=900311, clean=False, audio=False),
    "B001C03.mov": ClipSpec("mos", Fraction(24), SIZE, 2, seed=900312, clean=False, audio=False),
}


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("rushes")
    for name, spec in CLIPS.items():
        render_clip(spec, folder / name)
    return [folder / name for name in CLIPS]


class Annotator(Hands):
    """Looks at the label page, and remembers what it showed."""

    def open_page(self, address: str) -> None:
        self.page.goto(address)
        self.settle()

    def settle(self, *, after: str = "") -> None:
        """Wait for a frame on screen, another one than `after`."""
        self.page.wait_for_function(
            """before => !document.getElementById("work").hidden
                && !document.getElementById("label").classList.contains("busy")
                && document.getElementById("where").textContent !== ""
                && ["clip-name", "where"].map(id => document.getElementById(id).innerText).join("")
                    !== before""",
            arg=after,
        )

    @property
    def shown(self) -> str:
        return self.page.locator("#clip-name").inner_text() + self.page.locator("#where").inner_text()

    @property
    def boxes(self) -> int:
        return self.page.locator("#boxes .box-line").count()

    @property
    def said(self) -> str:
        return self.page.locator("#said").inner_text()

    def answer(self, *keys: str) -> str:
        """Press keys that answer, and wait for the next frame; what the page said."""
        before = self.shown
        self.press(*keys)
        self.settle(after=before)
        return self.said


@pytest.fixture
def label(page, footage) -> str:
    """The address of the label page of a project with a queue."""
    from playwright.sync_api import expect

    admin = Hands(page)
    admin.sign_in(PASSWORD)
    admin.make_project("Labels")
    board = page.url
    page.goto(f"{board}label/settings/")
    page.get_by_label("Frames chosen at once").fill("48")
    page.get_by_label("Frames drawn by chance (%)").fill("60")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Labelling goes on with the new settings")).to_be_visible()
    page.goto(board)
    admin.upload(footage)
    expect(page.locator(".clip-table .verdict .badge")).to_have_count(len(footage), timeout=SCAN_WAIT)
    wait_for_queue(page, f"{board}queue/")
    return f"{board}label/"


def wait_for_queue(page, address: str) -> None:
    """Until enough frames wait."""
    for _ in range(SCAN_WAIT // 2000):
        answer = page.request.get(address, headers={"Accept": "application/json"})
        if json.loads(answer.text())["waiting"] >= WANTED + 4:
            return
        page.wait_for_timeout(2000)
    raise AssertionError(f"the queue did not fill: {answer.text()}")


def add_annotator(page, board: str, name: str) -> str:
    """Make an account and a member of it, as a site admin does; the password that was shown."""
    page.goto("/people/")
    page.get_by_label("Username").fill(name)
    page.get_by_role("button", name="Add person").click()
    password = page.locator("#password").inner_text()
    page.goto(f"{board}settings/")
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("cell", name=name, exact=True).wait_for()
    return password


def test_twenty_frames_by_keyboard_and_a_second_person_beside(page, product, chromium, label) -> None:
    from playwright.sync_api import expect

    board = label.removesuffix("label/")
    password = add_annotator(page, board, "kim")
    other_window = chromium.new_context(base_url=product.url)
    kim = Annotator(other_window.new_page())
    kim.page.goto("/")
    kim.page.get_by_label("Username").fill("kim")
    kim.page.get_by_label("Password").fill(password)
    kim.page.get_by_role("button", name="Sign in").click()
    kim.page.get_by_role("heading", name="Projects").wait_for()
    kim.open_page(label)

    person = Annotator(page)
    person.open_page(label)
    err_and_put_it_right(person)
    mine, theirs = [], []
    while len(mine) < WANTED:
        assert person.shown != kim.shown
        mine.append(person.shown)
        said = person.answer("Enter") if person.boxes else person.answer("n")
        assert said.startswith("Kept: ")
        if len(mine) in (5, 10):
            theirs.append(kim.shown)
            assert kim.answer("s", "1").startswith("Kept: skipped, unsure")
    assert len(set(mine)) == WANTED
    assert not set(mine) & {*theirs, kim.shown}
    other_window.close()

    page.goto(f"{board}queue/")
    progress = json.loads(page.request.get(page.url, headers={"Accept": "application/json"}).text())
    assert (progress["labelled"], progress["skipped"]) == (WANTED, len(theirs))
    assert {one["name"] for one in progress["people"]} == {"admin", "kim"}
    expect(page.get_by_role("row", name="kim").first).to_be_visible()


def err_and_put_it_right(person: Annotator) -> None:
    """A box drawn without a state is asked about; a draft outlives the tab; an answer can be taken back."""
    from playwright.sync_api import expect

    page = person.page
    first = person.shown
    for _ in range(person.boxes):
        person.press("x")
    canvas = page.locator("#canvas").bounding_box()
    page.mouse.move(canvas["x"] + canvas["width"] / 3, canvas["y"] + canvas["height"] / 3)
    page.mouse.down()
    page.mouse.move(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2, steps=4)
    page.mouse.up()
    person.press("Enter")
    expect(page.locator("#said")).to_have_text("Is it open or closed? Press O or C.")
    with page.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.ok):
        person.press("c")
    person.open_page(page.url)  # as if the tab had been closed
    assert person.shown == first
    expect(page.locator("#boxes")).to_contain_text("closed")
    assert person.answer("Enter") == "Kept: closed. U takes it back."
    second = person.shown
    person.press("u")
    person.settle(after=second)
    assert person.shown == first
    expect(page.locator("#boxes")).to_contain_text("closed")


def test_neighbours_are_for_looking_only(page, product) -> None:
    from playwright.sync_api import expect

    person = Annotator(page)
    person.sign_in(PASSWORD)
    page.get_by_role("link", name="Labels").click()
    page.get_by_role("link", name="Labelling").click()
    page.get_by_role("link", name="Label frames").click()
    person.settle()
    words = page.locator("#flip-words")
    slider = page.locator("#flip")
    key, by = (
        ("ArrowRight", "later") if int(slider.get_attribute("max") or 0) > 1 else ("ArrowLeft", "earlier")
    )
    person.press(key, key)
    expect(words).to_have_text(f"2 frames {by}, only to look; Esc comes back")
    person.press("Escape")
    expect(words).to_have_text("the frame that is asked about")
