"""What the layout promises, and a linter does not see."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TORCH_FREE = ["slates", "coco", "claps", "timecode", "facts", "footage", "scan", "checkpoints"]
WORDS_NOT_USED = {"utils", "helpers", "common", "core", "services", "managers", "base", "misc", "engine"} | {
    "processor",
    "handler",
    "data",
}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_platform_stays_a_folder() -> None:
    """With an __init__.py in it, importing torch, uuid or pytest from here would find ours."""
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert python("import platform; platform.system()").returncode == 0


def test_the_web_process_never_loads_torch() -> None:
    ran = python(
        "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        "import secondsticks.wsgi, secondsticks.urls"
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", TORCH_FREE)
def test_the_torch_free_half_of_training_is(name: str) -> None:
    ran = python(
        f"import sys, training.{name}\n"
        "loaded = {'torch', 'torchvision', 'django', 'dramatiq'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )

    assert ran.returncode == 0, ran.stderr


def test_names_say_what_things_are() -> None:
    folders = ("platform", "training", "ml_backend", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]

    assert len(files) > 20
    assert [str(path) for path in files if path.stem in WORDS_NOT_USED] == []


def test_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
