"""What a worker process of test_workers.py loads: the actors, and a first reader that hangs."""

import os
import time
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "secondsticks.settings"

import dramatiq_postgres.django.worker  # noqa: F401

from secondsticks.footage import reading

look = reading._look


def hang_once(clip):
    """The first worker leaves a mark and hangs; whoever finds the mark reads on."""
    mark = Path(f"{clip.path}.hung")
    if not mark.exists():
        mark.touch()
        time.sleep(3600)
    return look(clip)


reading._look = hang_once
