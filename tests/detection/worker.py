"""What a worker process of test_workers.py loads: the actors, and a scanner that only pretends to see."""

import os
import sys
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "secondsticks.settings"

from django.conf import settings

settings.SCANNER_COMMAND = [sys.executable, str(Path(__file__).with_name("fake_scanner.py"))]

import dramatiq_postgres.django.worker  # noqa: E402, F401
