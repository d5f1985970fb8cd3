"""Write the golden files anew: `python -m tests.markers.write_golden`. All start just before midnight."""

from __future__ import annotations

from pathlib import Path

from secondsticks.markers import FORMATS, place, written
from tests.markers.takes import RATES, make_clip

if __name__ == "__main__":
    for rate in RATES:
        files = written([make_clip(rate, rate.starts[2])], FORMATS.values())
        place(files, Path(__file__).with_name("golden") / rate.name)
