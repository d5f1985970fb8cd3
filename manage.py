#!/usr/bin/env python
"""Django's command line for the platform: `python manage.py up` runs everything."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secondsticks.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:  # a variable of ours, in most cases: the sentence says which
        sys.exit(str(wrong))
