"""Labelling under load: python benchmarks/labelling_load.py

The real thing, as `manage.py up --only web` runs it (granian, the embedded PostgreSQL), in a home of its own,
with 100,000 frames waiting. Annotators are closed loops over HTTP, each with a session of their own: next
frame, save, next frame … CPU is that of the web server's and the database's processes, so other programs on
the machine do not count; `others_share` is the share of all cores that those burned meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).parent / "results" / "labelling_load.json"
#: Annotators, and how long each thinks between a frame and the answer.
STAGES = ((1, 0.0), (8, 0.0), (32, 0.0), (32, 8.0))
SECONDS, CLIPS, PAGES = 20.0, 500, 20
CHANGED = 0.3  # of the answers change what was proposed


@contextlib.contextmanager
def running(home: Path) -> Iterator[tuple[psutil.Process, int]]:
    """`manage.py up --only web` in a home of its own: its process, and the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    os.environ |= {"SECONDSTICKS_HOME": str(home), "SECONDSTICKS_DEMO": "0"}
    os.environ.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "up", "--only", "web", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit(f"up ended with {process.returncode}; see {home / 'logs'}")
            time.sleep(0.3)
        yield psutil.Process(process.pid), port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def fill(waiting: int, labelled: int, people: int) -> tuple[str, list[str]]:
    """A project with frames that wait and others that are labelled: its uuid, and each person's session."""
    from django.contrib.auth.models import User
    from django.test import Client

    from secondsticks.footage.models import Clip, Project

    project = Project.objects.create(name="Load")
    project.memberships.bulk_create(
        project.memberships.model(project=project, user=user, role="lead" if number == 0 else "annotator")
        for number, user in enumerate(
            User.objects.bulk_create(User(username=f"annotator {n}") for n in range(people))
        )
    )
    rate = {"rate_num": 24, "rate_den": 1, "frames": 2000, "duration_num": 2000, "duration_den": 24}
    clips = Clip.objects.bulk_create(
        Clip(
            project=project, name=f"A{n:03}.mov", origin="folder", location=f"/nowhere/A{n:03}.mov", **rate,
            state="ready", width=1920, height=1080, codec="h264", container="mov", pixel_format="yuv420p",
        )
        for n in range(CLIPS)
    )  # fmt: skip
    queue_frames(project, clips, waiting, labelled)
    sessions = []
    for membership in project.memberships.select_related("user").order_by("pk"):
        client = Client()
        client.force_login(membership.user, backend="django.contrib.auth.backends.ModelBackend")
        sessions.append(client.cookies["secondsticks_session"].value)
    return str(project.uuid), sessions


def queue_frames(project: Any, clips: list[Any], waiting: int, labelled: int) -> None:
    from django.db import connection
    from django.db.models import OuterRef, Subquery

    from secondsticks.detection.models import Checkpoint
    from secondsticks.labeling.models import Annotation, LabelingSettings, QueuedFrame

    champion = Checkpoint.objects.create(sha256="ab" * 32, name="champion")
    LabelingSettings.objects.create(project=project)
    chance = random.Random(1)
    for numbers in chunks(waiting + labelled, 5000):
        rows = [
            QueuedFrame(
                project=project, clip=clips[number % CLIPS], frame=number // CLIPS, pts=number, rank=number,
                timecode="01:00:00:00", width=1920, height=1080, picture_sha256="ab" * 32, batch=1,
                why="random" if chance.random() < 0.15 else "uncertain", worth=chance.random(),
                reasons=["Open or closed is too close to call (0.52 and 0.48)."], checkpoint=champion,
                proposals=[proposal(chance)], state="labelled" if done else "waiting", version=int(done),
            )
            for number in numbers
            for done in [number >= waiting]
        ]  # fmt: skip
        rows = QueuedFrame.objects.bulk_create(rows)
        Annotation.objects.bulk_create(
            Annotation(
                project=project, frame=row, number=1, made_on=0, by_name=f"somebody {row.pk % 32}", key="k",
                origin="changed" if chance.random() < CHANGED else "accepted", seconds=chance.uniform(1, 9),
                boxes=[{name: row.proposals[0][name] for name in ("x", "y", "w", "h", "state")}],
            )
            for row in rows
            if row.version
        )  # fmt: skip
    said = Annotation.objects.filter(frame=OuterRef("pk")).values("pk")
    QueuedFrame.objects.filter(version=1).update(standing=Subquery(said))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def chunks(whole: int, each: int) -> Iterator[range]:
    return (range(start, min(start + each, whole)) for start in range(0, whole, each))


def proposal(chance: random.Random) -> dict[str, Any]:
    box = {name: round(chance.uniform(50, 500), 1) for name in ("x", "y", "w", "h")}
    return {**box, "state": chance.choice(["open", "closed"]), "score": 0.52}


@dataclass
class Annotator:
    """One person's page over HTTP; `frames` are those it was given, `errors` what was not as it must be."""

    port: int
    project: str
    session: str
    token_cookie: str
    think: float
    next_ms: list[float] = field(default_factory=list)
    save_ms: list[float] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def work(self, until: float) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        chance = random.Random(self.session)
        time.sleep(chance.uniform(0, min(self.think, 5)))
        with contextlib.closing(self.connection):
            while time.monotonic() < until:
                took, answer = self.send(f"/projects/{self.project}/label/next/", {"holding": []})
                if not (frame := answer.get("frame")):
                    self.errors.append(f"no frame: {answer}")
                    return
                self.next_ms.append(took)
                self.frames.append(frame["uuid"])
                time.sleep(self.think * chance.uniform(0.5, 1.5))
                self.save(frame, chance)

    def save(self, frame: dict[str, Any], chance: random.Random) -> None:
        boxes = [{name: box[name] for name in ("x", "y", "w", "h", "state")} for box in frame["proposals"]]
        if chance.random() < CHANGED:
            boxes[0]["state"] = "closed" if boxes[0]["state"] == "open" else "open"
        said: dict[str, Any] = {
            "key": str(uuid.uuid4()),
            "token": frame["lease"]["token"],
            "made_on": frame["version"],
        }
        took, answer = self.send(
            f"/frames/{frame['uuid']}/save/", {**said, "boxes": boxes, "seconds": self.think}
        )
        if answer.get("annotation", {}).get("version") == frame["version"] + 1:
            self.save_ms.append(took)
        else:
            self.errors.append(f"not saved: {answer}")

    def send(self, path: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        token = "a" * 32
        headers = {
            "Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": token,
            "Cookie": f"secondsticks_session={self.session}; secondsticks_csrf={token}",
        }  # fmt: skip
        began = time.perf_counter()
        self.connection.request("POST", path, json.dumps(body), headers)
        response = self.connection.getresponse()
        content = response.read()
        took = 1000 * (time.perf_counter() - began)
        if response.status != 200:
            self.errors.append(f"{path}: {response.status} {content[:200]!r}")
            return took, {}
        return took, json.loads(content)


def cpu_of(up: psutil.Process) -> Counter[str]:
    """CPU seconds so far of the web server's processes, of the database's, and of the whole machine."""
    spent: Counter[str] = Counter()
    for child in up.children():
        kind = "postgres" if child.name().startswith("postgres") else "web"
        reaped = child.cpu_times()
        spent[kind] += reaped.children_user + reaped.children_system
        for process in (child, *child.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent[kind] += times.user + times.system
    own = psutil.Process().cpu_times()
    spent["clients"] = own.user + own.system
    machine = psutil.cpu_times()
    spent["machine"] = sum(machine[:8]) - machine.idle - getattr(machine, "iowait", 0.0)
    return spent


def stage(up: psutil.Process, annotators: list[Annotator], seconds: float) -> dict[str, Any]:
    before, began = cpu_of(up), time.monotonic()
    threads = [
        threading.Thread(target=one.work, args=[began + seconds], name=one.session) for one in annotators
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, after = time.monotonic() - began, cpu_of(up)
    spent = {kind: after[kind] - before[kind] for kind in after}
    saves = [ms for one in annotators for ms in one.save_ms]
    others = spent["machine"] - spent["web"] - spent["postgres"] - spent["clients"]
    return {
        "annotators": len(annotators),
        "think_s": annotators[0].think,
        "loops": len(saves),
        "loops_per_s": round(len(saves) / wall, 1),
        "next_ms": cuts([ms for one in annotators for ms in one.next_ms]),
        "save_ms": cuts(saves),
        "web_cpu_ms_per_loop": round(1000 * spent["web"] / len(saves), 1),
        "postgres_cpu_ms_per_loop": round(1000 * spent["postgres"] / len(saves), 1),
        "clients_cpu_ms_per_loop": round(1000 * spent["clients"] / len(saves), 1),
        "others_share": round(others / wall / (os.cpu_count() or 1), 2),
        "errors": sum(len(one.errors) for one in annotators),
        "first_error": next((error for one in annotators for error in one.errors), None),
    }


def cuts(values: list[float]) -> dict[str, float]:
    parts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": round(parts[9], 1), "p95": round(parts[18], 1)}


def check(project: str, annotators: list[Annotator]) -> dict[str, int]:
    """What must be zero, from what the pages saw and from what the database keeps."""
    from secondsticks.labeling.models import Annotation

    given = Counter(frame for one in annotators for frame in one.frames)
    kept = Annotation.objects.filter(project__uuid=project, by__isnull=False)
    frames = Counter(kept.values_list("frame", flat=True))
    saved = sum(len(one.save_ms) for one in annotators)
    return {
        "frames_given": len(given),
        "frames_given_twice": sum(times > 1 for times in given.values()),
        "frames_with_two_answers": sum(times > 1 for times in frames.values()),
        "answers_lost": saved - kept.count(),
        "errors": sum(len(one.errors) for one in annotators),
    }


def page(port: int, project: str, session: str) -> dict[str, float]:
    """How long the Labelling page takes."""
    took = []
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        for _ in range(PAGES):
            began = time.perf_counter()
            headers = {"Cookie": f"secondsticks_session={session}", "Accept": "text/html"}
            connection.request("GET", f"/projects/{project}/queue/", headers=headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, response.status
            took.append(1000 * (time.perf_counter() - began))
    return cuts(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000, help="frames that wait (%(default)s)")
    parser.add_argument("--labelled", type=int, default=20_000, help="frames labelled before (%(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each stage (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)  # the embedded server has an account of its own
        with running(home) as (up, port):
            result = measure(up, port, options)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def measure(up: psutil.Process, port: int, options: argparse.Namespace) -> dict[str, Any]:
    import django
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "secondsticks.settings"
    django.setup()
    project, sessions = fill(options.frames, options.labelled, max(many for many, _ in STAGES))
    everyone: list[Annotator] = []
    stages = []
    for many, think in [(2, 0.0), *STAGES]:  # the first one warms up, and is not kept
        annotators = [
            Annotator(port, project, session, settings.CSRF_COOKIE_NAME, think) for session in sessions[:many]
        ]
        stages.append(stage(up, annotators, options.seconds if len(stages) else 3))
        everyone += annotators
        print(json.dumps(stages[-1]), file=sys.stderr, flush=True)
    return {
        "frames_waiting": options.frames,
        "frames_labelled_before": options.labelled,
        "clips": CLIPS,
        "cores": os.cpu_count(),
        "stages": stages[1:],
        "checked": check(project, everyone),
        "labelling_page_ms": page(port, project, sessions[0]),
    }


if __name__ == "__main__":
    main()
