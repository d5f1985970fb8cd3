"""A person at the keyboard: looks at the page, and never touches the mouse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.render.clips import ClipTruth

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

#: A clap this far (frames) from where it should be is nudged; one further away is another thing.
NUDGE = 12
MOST_TABS = 150


class Hands:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.files: list[Path] = []
        page.on("filechooser", lambda chooser: chooser.set_files(self.files))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is there, and see that it shows."""
        target.first.wait_for(state="attached")
        for _ in range(MOST_TABS):
            if target.first.evaluate("wanted => wanted === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"the Tab key does not reach {target}")

    def follow(self, target: Locator) -> None:
        self.reach(target)
        self.press("Enter")

    def sign_in(self, password: str) -> None:
        self.page.goto("/")
        self.reach(self.page.get_by_label("Username"))
        self.page.keyboard.type("admin")
        self.press("Tab")
        self.page.keyboard.type(password)
        self.press("Enter")

    def make_project(self, name: str) -> None:
        self.follow(self.page.get_by_role("link", name="New project"))
        self.reach(self.page.get_by_label("Name"))
        self.page.keyboard.type(name)
        self.press("Enter")
        self.page.get_by_role("heading", name=name).wait_for()

    def upload(self, files: list[Path]) -> None:
        self.files = files
        self.follow(self.page.locator("#upload-files"))

    def export(self, what: str) -> Path:
        self.follow(self.page.locator("summary", has_text="Export"))
        self.reach(self.page.get_by_role("button", name=what))
        with self.page.expect_download() as download:
            self.press("Enter")
        return Path(download.value.path())


class Reviewer(Hands):
    """Decides on one clip after the other, and knows where each one claps."""

    def __init__(self, page: Page, truths: dict[str, ClipTruth]) -> None:
        super().__init__(page)
        self.truths = truths
        self.seen: list[str] = []
        self.corrected: dict[str, str] = {}  # clip -> what had to be put right

    @property
    def clip(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def is_done(self) -> bool:
        return self.page.locator("#reviewed").count() > 0

    def state(self) -> Any:
        return json.loads(self.page.locator("#review-state").text_content() or "")

    def frames(self) -> list[int]:
        return [one["frame"] for one in self.state()["claps"]]

    def decide(self, key: str) -> None:
        """Press a key whose decision keeps this clip on the page."""
        before = self.state()["decisions"]
        self.press(key)
        made = "before => JSON.parse(document.getElementById('review-state').textContent).decisions > before"
        self.page.wait_for_function(made, arg=before)

    def leave(self, key: str) -> None:
        """Press a key that leads to another clip, or to the end of the review."""
        before = self.clip
        self.press(key)
        self.page.wait_for_function(
            "name => document.readyState === 'complete' && document.querySelector('h1').innerText !== name",
            arg=before,
        )

    def nudge_to(self, frame: int) -> None:
        from playwright.sync_api import expect

        outlined = self.page.locator("#strip .closed span")
        here = int(outlined.inner_text())
        self.press(*["ArrowRight" if frame > here else "ArrowLeft"] * abs(frame - here))
        expect(outlined).to_have_text(str(frame))
        expect(self.page.locator("#frame")).to_have_text(str(frame))

    def step_player_to(self, frame: int) -> None:
        from playwright.sync_api import expect

        shown = self.page.locator("#frame")
        second = round(self.truths[self.clip].rate)
        seconds, frames = divmod(abs(frame - int(shown.inner_text())), second)
        key = "Period" if frame > int(shown.inner_text()) else "Comma"
        self.press(*[f"Shift+{key}"] * seconds, *[key] * frames)
        expect(shown).to_have_text(str(frame))

    def settle(self) -> None:
        """Say what is true about the clip on the page; the next one comes by itself."""
        name, truth = self.clip, self.truths[self.clip]
        self.seen.append(name)
        if not truth.claps:
            if self.frames():
                self.corrected[name] = f"no clap at {self.frames()}"
            return self.leave("m" if truth.kind == "mos" else "n")
        self._take_away_false_ones(truth)
        self._add_missing_ones(truth)
        while len(left := [one for one in self.state()["claps"] if not one["confirmed"]]) > 0:
            wanted = min(truth.claps, key=lambda frame: abs(frame - left[0]["frame"]))
            if wanted != left[0]["frame"]:
                self.corrected[name] = f"{left[0]['frame']} to {wanted}"
                self.nudge_to(wanted)
            if len(left) == 1:
                return self.leave("Enter")
            self.decide("Enter")
        return self.leave("Enter")

    def _take_away_false_ones(self, truth: ClipTruth) -> None:
        while False in (near := [_is_near(frame, truth.claps) for frame in self.frames()]):
            wrong = near.index(False)
            self.corrected[self.clip] = f"no clap at {self.frames()[wrong]}"
            chosen = self.page.locator("#review .go[aria-pressed=true]")
            while int(chosen.get_attribute("data-frame") or 0) != self.frames()[wrong]:
                self.press("]")
            self.decide("x")

    def _add_missing_ones(self, truth: ClipTruth) -> None:
        for frame in truth.claps:
            if not _is_near(frame, self.frames()):
                self.corrected[self.clip] = f"a clap at {frame}"
                self.step_player_to(frame)
                self.decide("a")


def _is_near(frame: int, others: list[int]) -> bool:
    return any(abs(frame - other) <= NUDGE for other in others)
