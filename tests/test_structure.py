"""What the layout promises, and a linter does not see."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TORCH_FREE = [
    "slates",
    "coco",
    "timecode",
    "checkpoints",
    "scan",
    "claps.claps",
    "footage.facts",
    "footage.footage",
    "sound.links",
    "slate_text.reader",
    "store",
]
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


def test_the_web_process_never_loads_torch_or_onnxruntime() -> None:
    ran = python(
        "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        "sys.modules['onnxruntime'] = sys.modules['rapidocr'] = None\n"
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


def sources(*folders: str) -> list[Path]:
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 20
    return files


def test_names_say_what_things_are() -> None:
    files = sources("platform", "training", "ml_backend", "tests")

    assert [str(path) for path in files if path.stem in WORDS_NOT_USED] == []


def imported(path: Path) -> set[str]:
    """The top-level names of the modules that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def plain(requirement: str) -> str:
    """A package's name as it is compared: `psycopg[binary,pool]>=3.3` is `psycopg`."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize(
    ("folders", "groups"),
    [(("platform", "training", "ml_backend"), []), (("tests", "benchmarks"), ["dev"])],
    ids=["product", "tests"],
)
def test_every_import_is_declared(folders: tuple[str, ...], groups: list[str]) -> None:
    """What only happens to be installed here is missing from the environment that `make` builds elsewhere."""
    packaging = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = {plain(each) for each in packaging["project"]["dependencies"]}
    optional = packaging["project"]["optional-dependencies"]
    declared |= {plain(each) for extra in optional.values() for each in extra}
    declared |= {plain(each) for group in groups for each in packaging["dependency-groups"][group]}
    ours = {"secondsticks", "training", "ml_backend", "tests"}
    ours |= {path.stem for path in (ROOT / "benchmarks").glob("*.py")}  # run as files, they import each other
    names = set().union(*map(imported, sources(*folders))) - set(sys.stdlib_module_names) - ours

    packages = packages_distributions()
    homes = {name: packages.get(name, [name]) for name in names}

    assert {name: home for name, home in homes.items() if not declared & set(map(plain, home))} == {}


def test_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
