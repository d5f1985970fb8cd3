"""What a command prints on stdout: one document, or a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from secondsticks.cli.reading import Document


def show(document: Document, *, as_json: bool, lines: Sequence[str]) -> None:
    if as_json:
        print(json.dumps(document, indent=1, allow_nan=False))
    elif lines:
        print("\n".join(lines))
    sys.stdout.flush()
