"""`manage.py export_annotations`: a project's annotations as a zip file."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from secondsticks.labeling.exchange import exporting
from secondsticks.labeling.exchange.naming import project_named
from training.store import StoreError


class Command(BaseCommand):
    help = "Write all annotations of a project to a zip file: COCO, YOLO or Label Studio's JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="UUID or name")
        parser.add_argument("--format", choices=exporting.FORMATS, default=exporting.FORMATS[0])
        parser.add_argument("--pictures", action="store_true", help="with the pictures of all frames")

    def handle(self, *, file: Path, project: str, format: str, pictures: bool, **options: object) -> None:
        partial = file.with_name(f".{file.name}.partial")
        try:
            count = exporting.write_zip(project_named(project), partial, form=format, pictures=pictures)
            partial.replace(file)
        except (OSError, StoreError) as error:
            raise CommandError(str(error)) from error
        finally:
            partial.unlink(missing_ok=True)
        self.stdout.write(f"{count} frames in {file}")
