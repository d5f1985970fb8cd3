"""`manage.py import_annotations`: labels from COCO, YOLO or Label Studio's JSON."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from secondsticks.labeling import work
from secondsticks.labeling.exchange import receiving, taking
from secondsticks.labeling.exchange.forms import names_in
from secondsticks.labeling.exchange.naming import project_named
from secondsticks.labeling.exchange.rows import Import, Step
from secondsticks.labeling.work import WorkState
from training.slates import State


class Command(BaseCommand):
    help = "Say what a file of labels would bring into a project; with --take, bring it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="UUID or name")
        parser.add_argument("--take", action="store_true", help="take over what can be")
        parser.add_argument("--open", default="open", help="labels that mean open, with commas between")
        parser.add_argument("--closed", default="closed", help="labels that mean closed")
        parser.add_argument("--empty", action="store_true", help="pictures without a box show no slate")
        parser.add_argument("--source", default="", help="where its pictures are from; the file's name")
        parser.add_argument("--by", help="username of who imports")

    def handle(self, *, file: Path, project: str, take: bool, **said: Any) -> None:
        names = {name: str(State.OPEN) for name in names_in(said["open"])}
        names |= {name: str(State.CLOSED) for name in names_in(said["closed"])}
        try:
            batch = receiving.receive(
                project_named(project),
                person_named(said["by"]),
                name=file.name,
                chunks=chunks_of(file),
                source=said["source"],
                names=names,
                empty=said["empty"],
            )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        batch = self.worked_off(batch)
        if take and batch.can_be_taken and batch.go_on(Step.TAKE, after=Step.READ):
            batch = self.worked_off(batch)
        self.tell(batch)
        if batch.step == Step.READ:
            batch.file.unlink(missing_ok=True)
            batch.delete()

    def worked_off(self, batch: Import) -> Import:
        """Do here what a worker would, unless one has begun."""
        claimed = work.claim(Import, batch.pk)
        if claimed is not None:
            taking.work_on(claimed)
        found = Import.objects.get(pk=batch.pk)
        if found.state != WorkState.DONE:
            raise CommandError(found.error or "A worker is at it: see the import in the project.")
        return found

    def tell(self, batch: Import) -> None:
        report = batch.report or {}
        for where, sentence in report["problems"]:
            self.stdout.write(f"not imported: {where}: {sentence}")
        done = "imported" if batch.step == Step.TAKE else "would be imported (--take does it)"
        self.stdout.write(
            f"{batch.format}: {report['frames']} frames of clips and {report['stills']} stills {done}; "
            f"{report['open']} open, {report['closed']} closed, {report['without']} without a slate. "
            f"{report['refused']} not imported, {report['unsaid']} about which nothing is said."
        )


def person_named(username: str | None) -> User | None:
    if not username:
        return None
    found = User.objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"There is no account {username}.")
    return found


def chunks_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            yield chunk
