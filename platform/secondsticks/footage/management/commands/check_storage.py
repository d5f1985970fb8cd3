"""`manage.py check_storage`: whether the stores work, from here and from a browser."""

from django.core.management.base import BaseCommand, CommandError

from secondsticks.footage.storage_check import answers


class Command(BaseCommand):
    help = "Try the stores for training and footage, and say what does not work."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        said = list(answers())
        for answer in said:
            self.stdout.write(f"{'ok ' if answer.works else 'NO '} {answer.sentence}")
        if not all(answer.works for answer in said):
            raise CommandError("Not everything works.")
