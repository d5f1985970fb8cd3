"""prepare and sweep: safe to run again, and by two machines at a time."""

import json

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from secondsticks.running import locks
from secondsticks.running.management.commands import sweep

done: list[str] = []


def note() -> None:
    done.append("noted")


def fail() -> None:
    raise ValueError("this sweep is broken")


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


def prepare(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    call_command("prepare", *words)
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.django_db
def test_the_first_admin_is_made_once(capsys: pytest.CaptureFixture[str]) -> None:
    first = prepare(capsys)
    second = prepare(capsys)

    admin = User.objects.get()
    assert (admin.username, admin.is_superuser) == ("admin", True)
    assert admin.check_password(str(first["admin_password"]))
    assert second == {"migrated": False, "admin_password": None, "needs_ml_backend": False}


@pytest.mark.django_db
def test_the_first_password_can_be_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDSTICKS_ADMIN_PASSWORD", "marker-board-chalk")

    assert prepare(capsys)["admin_password"] is None
    assert User.objects.get().check_password("marker-board-chalk")


@pytest.mark.django_db
def test_a_weak_first_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDSTICKS_ADMIN_PASSWORD", "1234")

    with pytest.raises(CommandError, match="SECONDSTICKS_ADMIN_PASSWORD: This password is too short"):
        call_command("prepare")

    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_demo_is_made_until_somebody_signs_in(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.DEMO = f"{__name__}.note"
    prepare(capsys)
    assert done == []

    prepare(capsys, "--demo")
    assert done == ["noted"]

    User.objects.update(last_login="2026-01-01T00:00Z")
    prepare(capsys, "--demo")
    assert done == ["noted"]


@pytest.mark.django_db
def test_a_broken_sweep_does_not_hold_up_the_next(caplog: pytest.LogCaptureFixture) -> None:
    sweep.sweep_once([fail, note])

    assert done == ["noted"]
    assert "this sweep is broken" in caplog.text


@pytest.mark.django_db
def test_one_machine_sweeps_at_a_time(postgres: str) -> None:
    with psycopg.connect(postgres) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [locks.Lock.SWEEP])
        sweep.sweep_once([note])
        assert done == []

    sweep.sweep_once([note])

    assert done == ["noted"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_the_sweeps_of_the_settings_exist_and_run() -> None:
    call_command("sweep")
