"""The scanner process as it is started where no test stands in for it."""

import sys
from pathlib import Path

from secondsticks.detection.scanner import environment, scanner_command


def test_the_scanner_is_ours_and_is_told_its_weights() -> None:
    assert scanner_command(Path("day0.safetensors")) == [
        *(sys.executable, "-P", "-m", "training.scan", "--serve", "--checkpoint", "day0.safetensors")
    ]


def test_the_scanner_is_told_no_secrets(monkeypatch) -> None:
    secrets = {"SECRET_KEY", "DATABASE_URL", "SECONDSTICKS_ADMIN_PASSWORD"}
    for name in secrets:
        monkeypatch.setenv(name, "told")

    assert secrets & set(environment()) == set()
