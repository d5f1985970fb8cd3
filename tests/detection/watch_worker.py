"""What a worker process of test_watch_workers.py loads: the actors, and a first writer that hangs."""

import os
import time
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "secondsticks.settings"

from django.conf import settings

settings.SECONDSTICKS_FOLDERS = [os.environ["WATCHED_ROOT"]]
settings.SECONDSTICKS_SETTLE_SECONDS = 0

import dramatiq_postgres.django.worker  # noqa: E402, F401

from secondsticks.detection import export_folders  # noqa: E402

place = export_folders.place_durably


def hang_once(files, folder):
    """The first writer places one file, leaves a mark and hangs; whoever finds the mark writes on."""
    mark = Path(os.environ["WATCHED_ROOT"]) / "hung"
    if not mark.exists():
        first = next(iter(files))
        place({first: files[first]}, folder)
        mark.touch()
        time.sleep(3600)
    place(files, folder)


export_folders.place_durably = hang_once
