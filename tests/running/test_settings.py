"""Settings fail loudly: a wrong variable stops the start with a sentence that names it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from secondsticks import settings

ROOT = Path(__file__).resolve().parents[2]


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too weak"),
        ({"SECRET_KEY": "a" * 80}, "SECRET_KEY is too weak"),
        ({"SECRET_KEY": "django-insecure-" + "qwertyuiopasdfghjklzxcvbnm" * 3}, "SECRET_KEY is too weak"),
        ({"DEBUG": "1", "SECONDSTICKS_ORIGIN": "https://sticks.example.org"}, "DEBUG shows our insides"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'; say 1 or 0."),
        ({"SECONDSTICKS_SWEEP_SECONDS": "often"}, "SECONDSTICKS_SWEEP_SECONDS is 'often'"),
        ({"SECONDSTICKS_ORIGIN": "sticks.example.org"}, "SECONDSTICKS_ORIGIN must be an address"),
        ({"DATABASE_URL": "mysql://root@localhost/sticks"}, "DATABASE_URL must look like postgresql://"),
    ],
)
def test_a_wrong_variable_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    tried = manage("up", **environment)

    assert tried.returncode == 1
    assert sentence in tried.stderr
    assert len(tried.stderr.strip().splitlines()) == 1


def test_production_settings_pass_djangos_own_check() -> None:
    checked = manage(
        "check", "--deploy", "--fail-level", "WARNING", SECONDSTICKS_ORIGIN="https://sticks.example.org"
    )

    assert checked.returncode == 0, checked.stderr


def test_the_secret_is_made_once_and_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    kept = tmp_path / "home" / "secret_key"

    made = settings.env_secret("SECRET_KEY", kept)

    assert list(kept.parent.iterdir()) == [kept]
    assert made == settings.env_secret("SECRET_KEY", kept)
    assert len(made) >= 50
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_kept_names_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    (tmp_path / "file").touch()

    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        settings.env_secret("SECRET_KEY", tmp_path / "file" / "secret_key")


def test_a_database_address_is_taken_apart() -> None:
    database = settings.database_from("postgresql://sam:p%40ss@db.example.org:5433/sticks?sslmode=require")

    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.org", "5433", "sticks")
    assert (database["USER"], database["PASSWORD"]) == ("sam", "p@ss")
    assert database["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}


def test_a_local_socket_is_an_address_too() -> None:
    database = settings.database_from("postgresql://sam@/sticks?host=/run/postgres")

    assert (database["HOST"], database["OPTIONS"]) == ("/run/postgres", {"connect_timeout": 5})


def test_every_variable_is_in_the_example() -> None:
    read = re.compile(r'(?:env_bool|env_int|env_secret|environ\.get)\(\s*"([A-Z_]+)"')
    sources = "".join(path.read_text() for path in (ROOT / "platform" / "secondsticks").rglob("*.py"))
    example = (ROOT / ".env.example").read_text()

    names = set(read.findall(sources)) | {"SECONDSTICKS_ADMIN_PASSWORD", "DATABASE_URL"}

    assert len(names) >= 8
    assert [name for name in sorted(names) if f"\n#{name}=" not in example] == []
