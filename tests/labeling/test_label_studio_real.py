"""The whole way with a real Label Studio, ML backend and browser.

TEST_LABEL_STUDIO names an environment that has Label Studio 1.23.2 (`uv pip install label-studio==1.23.2`),
or is 1: then one is made, which takes minutes and a gigabyte. Without it this test is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

WANTED = os.environ.get("TEST_LABEL_STUDIO", "")
SCREENSHOTS = os.environ.get("TEST_SCREENSHOTS", "")
FRAMES, BY_BROWSER = 20, 6
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not WANTED, reason="TEST_LABEL_STUDIO names no Label Studio to try this with"),
]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_for(true, what: str, process: subprocess.Popen) -> None:
    while not true():
        assert process.poll() is None, f"{what} ended"
        time.sleep(0.3)


@pytest.fixture
def started():
    """Start a process, and end it and all it forked with kill -9."""
    running: list[subprocess.Popen] = []

    def start(command: list[str], **environment: str) -> subprocess.Popen:
        known = os.environ | environment
        process = subprocess.Popen(command, env=known, start_new_session=True, stdout=subprocess.DEVNULL)
        running.append(process)
        return process

    yield start
    for process in running:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def label_studio(tmp_path_factory):
    """Our Label Studio as the command runs it: its folder and port."""
    from secondsticks.running.label_studio import LabelStudioHome, address, is_up
    from secondsticks.running.postgres import free_port

    home = LabelStudioHome(tmp_path_factory.mktemp("ls"))
    home.prepare()
    if WANTED != "1":
        home.venv = Path(WANTED)
    else:
        home.install(print)
    port = free_port()
    log = (home.folder / "log").open("wb")
    process = home.spawn(port, log.fileno())
    try:
        wait_for(lambda: is_up(address(port)), "Label Studio", process)
        yield home, port
    finally:
        kill(process)


@pytest.fixture
def web(started):
    """The web process of the platform on the tests' database: its address, and the process."""
    from secondsticks.running.postgres import free_port

    port = free_port()
    command = [sys.executable, "-m", "granian", "secondsticks.wsgi:application", "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "4"]
    process = started([*command, "--log-level", "error"], DJANGO_SETTINGS_MODULE="secondsticks.settings")
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/healthz"), "the web process", process)
    return url, process


@pytest.fixture
def ml_backend(started, settings):
    from secondsticks.running.postgres import free_port

    port = free_port()
    told = {
        "SECONDSTICKS_HOME": str(settings.HOME), "SECONDSTICKS_STORE": settings.SECONDSTICKS_STORE,
        "SECONDSTICKS_ML_SECRET": settings.ML_SECRET,
    }  # fmt: skip
    process = started([sys.executable, "-m", "ml_backend", "--port", str(port)], **told)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/health"), "the ML backend", process)
    return url


@pytest.fixture
def frames(make_clip, make_frame):
    """Rendered slates, waiting with what the champion really sees in them."""
    from PIL import Image

    from secondsticks.detection import champions
    from secondsticks.detection.scanner import SCANNER
    from secondsticks.labeling import proposing
    from secondsticks.labeling.models import QueuedFrame
    from secondsticks.store import store
    from training.render.stills import render_still

    clip = make_clip(frames=FRAMES, width=960, height=540)
    for number in range(FRAMES):
        picture = BytesIO()
        Image.fromarray(render_still((7, number), size=(960, 540), empty=number == 3).picture).save(
            picture, "JPEG"
        )
        frame = make_frame(
            clip, frame=number, width=960, height=540, worth=(FRAMES - number) / (FRAMES + 1),
            rank=1 + number / FRAMES,
            picture_sha256=sha256(picture.getvalue()).hexdigest(), proposals=[], checkpoint=None,
        )  # fmt: skip
        store().put(frame.picture_key, picture.getvalue())
    champion = champions.champion_for(clip.project)
    with SCANNER.lock:
        while proposing.to_propose(clip.project, champion).exists():
            proposing.propose(clip.project, SCANNER)
        SCANNER.stop()
    return QueuedFrame.objects.filter(clip=clip).order_by("frame")


def sync(link) -> None:
    from secondsticks.labeling.label_studio import holding, syncing

    hold = holding.claim(link.pk, when_due=False)
    assert hold is not None
    worked = syncing.sync(hold)
    link.refresh_from_db()
    assert worked, link.error


def label_by_hand(address: str, url: str, password: str) -> list[str]:
    """Somebody signs in to Label Studio and answers the first frames; what they saw of each, in order."""
    from playwright.sync_api import sync_playwright

    from secondsticks.running.label_studio import ACCOUNT
    from tests.chromium import CHROMIUM, FLAGS

    def shoot(name: str) -> None:
        if SCREENSHOTS:
            page.screenshot(path=f"{SCREENSHOTS}/{name}.png")

    seen = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        errors = []
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.goto(f"{url}/user/login/")
        page.fill("input[name=email]", ACCOUNT)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda now: "/user/login" not in now)
        page.goto(address)
        for number in range(BY_BROWSER):
            page.get_by_test_id("bottombar-submit-button").wait_for()
            page.wait_for_function(
                "n => window.Htx?.task?.dataObj?.place && window.Htx.task.id !== n", arg=-1
            )
            page.wait_for_timeout(1500)
            task = page.evaluate("() => ({key: window.Htx.task.dataObj.frame_key, id: window.Htx.task.id})")
            seen.append(task["key"])
            shoot(f"label-{number}")
            button = "skip" if number == BY_BROWSER - 1 else "submit"
            page.get_by_test_id(f"bottombar-{button}-button").click()
            page.wait_for_function("id => window.Htx?.task && window.Htx.task.id !== id", arg=task["id"])
        assert not [one for one in errors if "/label-studio/pictures/" in one]
        browser.close()
    return seen


def test_uncertain_frames_go_to_label_studio_and_answers_come_back(
    label_studio, web, ml_backend, frames, project, settings
):
    from label_studio_sdk.client import LabelStudio

    from secondsticks.detection.publishing import publish
    from secondsticks.labeling.label_studio import doctor, linking
    from secondsticks.labeling.models import Annotation, FrameState, LabelStudioLink, Origin, QueuedFrame
    from secondsticks.running.label_studio import address
    from training.label_studio import region
    from training.slates import Box, State

    home, port = label_studio
    ours, process = web
    publish()
    token = home.token(port)
    assert home.token(port) == token and home.token_file.stat().st_mode & 0o777 == 0o600
    link = linking.link_to(project, url=address(port), token=token, our_url=ours, ml_url=ml_backend)
    sync(link)

    sdk = LabelStudio(base_url=link.url, api_key=token)
    assert (link.state, link.ml_error, link.notes) == ("linked", "", [])
    tasks = sdk.projects.exports.as_json(link.ls_project)
    assert [task["data"]["frame_key"] for task in tasks] == [frame.frame_key for frame in frames]
    assert sdk.projects.get(link.ls_project).model_version == link.model_version != ""
    before = len(sdk.predictions.list(project=link.ls_project))
    sync(link)
    assert len(sdk.projects.exports.as_json(link.ls_project)) == FRAMES
    assert len(sdk.predictions.list(project=link.ls_project)) == before == FRAMES

    # The doctor, and with it the webhook and the ML backend.
    found = list(doctor.look(link))
    assert all(finding.works for finding in found), found
    assert any("its webhook came" in finding.sentence for finding in found)
    assert any("reaches the ML backend" in finding.sentence for finding in found)

    # A person with a browser, in our order.
    with ThreadPoolExecutor(1) as other_thread:
        seen = other_thread.submit(label_by_hand, link.label_url, link.url, home.password).result()
    assert seen == [frame.frame_key for frame in frames[:BY_BROWSER]]
    assert LabelStudioLink.objects.get(pk=link.pk).hints >= BY_BROWSER, (
        "each answer was announced by a webhook"
    )
    sync(link)
    states = [frame.state for frame in frames.all()[:BY_BROWSER]]
    assert states == [FrameState.LABELLED] * (BY_BROWSER - 1) + [FrameState.SKIPPED]
    first = QueuedFrame.objects.get(pk=frames[0].pk)
    assert first.standing.origin == Origin.LABEL_STUDIO and first.standing.seconds > 0
    assert first.standing.by_name == "admin@secondsticks.local"
    assert len(first.standing.boxes) == len(first.proposals)
    for box, proposal in zip(first.standing.boxes, first.proposals, strict=True):
        assert box["state"] == proposal["state"]
        assert all(abs(box[side] - proposal[side]) < 1 for side in "xywh")

    # The receiver is killed: nothing is announced any more, and reconciling brings it all.
    kill(process)
    rest = {task["data"]["frame_key"]: task["id"] for task in tasks}
    box = Box(96, 54, 480, 270)
    made = {}
    for frame in frames[BY_BROWSER:]:
        drawn = [region(box, State.CLOSED, width=960, height=540, id="a")] if frame.frame % 2 else []
        made[frame.frame] = sdk.annotations.create(rest[frame.frame_key], result=drawn, lead_time=2.5)
    sync(link)
    assert set(QueuedFrame.objects.filter(frame__gte=BY_BROWSER).values_list("state", flat=True)) == {
        "labelled"
    }
    odd = QueuedFrame.objects.get(frame=7).standing
    assert (odd.boxes, odd.seconds) == (
        [{"x": 96.0, "y": 54.0, "w": 480.0, "h": 270.0, "state": "closed"}],
        2.5,
    )
    assert QueuedFrame.objects.get(frame=8).standing.boxes == []
    count = Annotation.objects.count()
    sync(link)
    assert Annotation.objects.count() == count, "a sync that finds nothing new writes nothing"

    # Changed and deleted there.
    sdk.annotations.update(made[7].id, result=[])
    sdk.annotations.delete(made[8].id)
    sync(link)
    assert QueuedFrame.objects.get(frame=7).standing.boxes == []
    undone = QueuedFrame.objects.get(frame=8)
    assert (undone.standing, undone.state, undone.version) == (None, FrameState.WAITING, 2)
    shutil.rmtree(home.data, ignore_errors=True)
