"""`manage.py labelstudio`: run a Label Studio for a project, or (`doctor`) say what hinders a link."""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from secondsticks.footage.models import Project
from secondsticks.labeling.label_studio import doctor, holding, linking, syncing
from secondsticks.labeling.label_studio.links import LabelStudioLink, LinkState
from secondsticks.running import checks, programs
from secondsticks.running.label_studio import (
    ACCOUNT,
    SAY_EVERY,
    STARTS_WITHIN,
    LabelStudioHome,
    address,
    is_up,
)
from secondsticks.running.lines import Lines
from secondsticks.running.postgres import is_free
from secondsticks.running.sentences import CannotStart
from secondsticks.running.supervisor import Supervisor

OURS = "http://127.0.0.1:8000"
SYNCED_WITHIN = 120.0  # seconds
NO_DATABASE = "The database does not answer: start Second Sticks first (make run), in another terminal."


class Command(BaseCommand):
    help = "Install and run a Label Studio and link a project to it; or look what hinders a link (doctor)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", nargs="?", choices=["start", "doctor"], default="start")
        parser.add_argument("--project", default="", help="name or uuid; needed where there are several")
        parser.add_argument("--port", type=int, default=8080, help="of Label Studio (%(default)s)")
        parser.add_argument(
            "--ours", default=settings.ORIGINS[0] if settings.ORIGINS else OURS,
            help="address of Second Sticks, as Label Studio and browsers reach it (%(default)s)",
        )  # fmt: skip

    def handle(self, *, what: str, project: str, port: int, ours: str, **options: object) -> None:
        try:
            if what == "doctor":
                self.doctor(project)
            else:
                self.start(chosen(project), port=port, ours=ours.rstrip("/"))
        except OperationalError:
            raise CommandError(NO_DATABASE) from None
        except CannotStart as sentence:
            raise CommandError(str(sentence)) from None

    def doctor(self, named: str) -> None:
        links = LabelStudioLink.objects.select_related("project").order_by("pk")
        if named:
            links = links.filter(project=chosen(named))
        if not links:
            raise CommandError("No project is linked: `manage.py labelstudio --project NAME` links one.")
        wrong = 0
        for link in links:
            self.stdout.write(f"{link.project.name}: {link.url}")
            for finding in doctor.look(link):
                wrong += not finding.works
                self.stdout.write(f"  {'ok ' if finding.works else 'NO '} {finding.sentence}")
        if wrong:
            raise CommandError("Not everything works.")

    def start(self, project: Project, *, port: int, ours: str) -> None:
        """Install, start, link, and keep it running until Ctrl-C."""
        home = LabelStudioHome(settings.HOME)
        home.prepare()
        with home.lock() as is_ours:
            if not is_ours:
                self.use_the_running(home, project, port=port, ours=ours)
                return
            checks.port_is_free("127.0.0.1", port)
            home.install(self.say)
            self.lines = Lines(settings.LOGS)
            self.supervisor = Supervisor(self.lines)
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, lambda *_: self.supervisor.stop())
            try:
                self.supervisor.start(home.program(port=port))
                self.start_ml_backend()
                self.wait(address(port))
                if not self.supervisor.stopping.is_set():
                    self.link(home, project, port=port, ours=ours)
                    self.supervisor.run()
            finally:
                self.supervisor.end()

    def use_the_running(self, home: LabelStudioHome, project: Project, *, port: int, ours: str) -> None:
        """Another command runs our Label Studio: only link this project to it too."""
        if not is_up(address(port)):
            raise CannotStart(
                f"Another `labelstudio` command is at work here, and no Label Studio answers at "
                f"{address(port)}: wait for it, or give the --port that it has."
            )
        self.link(home, project, port=port, ours=ours)

    def start_ml_backend(self) -> None:
        """Unless `make run` did already."""
        if not is_free(settings.ML_PORT):
            return
        told = {
            "SECONDSTICKS_HOME": str(settings.HOME),
            "SECONDSTICKS_STORE": settings.SECONDSTICKS_STORE,
            "SECONDSTICKS_ML_SECRET": settings.ML_SECRET,
        }
        self.supervisor.start(programs.ml_backend(port=settings.ML_PORT, environment=told))

    def wait(self, url: str) -> None:
        """Until Label Studio answers where it was told to: it takes another port where that is in use."""
        began = said = time.monotonic()

        def not_up() -> bool:
            nonlocal said
            now = time.monotonic()
            if now - said > SAY_EVERY:
                said = now
                self.say(f"Label Studio is starting since {now - began:.0f} s (the first time takes minutes)")
            return now - began < STARTS_WITHIN and not is_up(url)

        self.supervisor.run(while_true=not_up)
        if not self.supervisor.stopping.is_set() and not is_up(url):
            raise CannotStart(
                f"Label Studio does not answer at {url}; {settings.LOGS}/label-studio.log says why."
            )

    def link(self, home: LabelStudioHome, project: Project, *, port: int, ours: str) -> None:
        url = address(port)
        existing = LabelStudioLink.objects.filter(project=project).exclude(url=url).first()
        if existing is not None:
            raise CannotStart(
                f"{project.name} is linked to {existing.url}. End that link in the project's settings first."
            )
        if not answers(f"{ours}/healthz"):
            self.say(f"Second Sticks does not answer at {ours}: start it (make run), or say --ours ADDRESS.")
        ml_url = f"http://127.0.0.1:{settings.ML_PORT}"
        link = linking.link_to(project, url=url, token=home.token(port), our_url=ours, ml_url=ml_url)
        self.say("Label Studio runs; bringing the first frames")
        self.sync(link)
        if link.error:
            self.say(link.error)
        self.say(f"Label Studio is at {url}: {ACCOUNT}, with the password in {home.password_file}")
        if link.label_url:
            self.say(f"Label {project.name} at {link.label_url}")

    def sync(self, link: LabelStudioLink) -> None:
        """Here, or wait for the worker that was quicker."""
        hold = holding.claim(link.pk, when_due=False)
        if hold is not None:
            syncing.sync(hold)
        ends = time.monotonic() + SYNCED_WITHIN
        link.refresh_from_db()
        while link.state == LinkState.CONNECTING and time.monotonic() < ends:
            time.sleep(1)
            link.refresh_from_db()

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def chosen(named: str) -> Project:
    """The project of that name or uuid; the only one where none is named. Raises CannotStart."""
    projects = Project.objects.order_by("name")
    try:
        found = list(projects.filter(uuid=UUID(named)))
    except ValueError:
        found = list(projects.filter(name=named) if named else projects)
    if len(found) == 1:
        return found[0]
    names = ", ".join(project.name for project in projects[:20]) or "none yet"
    if found and named:
        uuids = ", ".join(str(project.uuid) for project in found)
        raise CannotStart(f"Several projects are called {named}: give one of {uuids}.")
    raise CannotStart(f"Say which project with --project NAME. There are: {names}.")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False
