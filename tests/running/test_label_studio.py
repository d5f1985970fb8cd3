"""A Label Studio of our own: its folder, its environment, and what is said when it cannot be had."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from secondsticks.running import label_studio
from secondsticks.running.label_studio import LabelStudioHome, is_up
from secondsticks.running.sentences import CannotStart


@pytest.fixture
def ours(tmp_path) -> LabelStudioHome:
    home = LabelStudioHome(tmp_path)
    home.prepare()
    return home


def test_its_password_is_made_once_and_only_we_can_read_it(ours, tmp_path):
    assert len(ours.password) > 20 and ours.password_file.stat().st_mode & 0o777 == 0o600
    assert ours.folder.stat().st_mode & 0o777 == 0o700
    again = LabelStudioHome(tmp_path)
    again.prepare()
    assert again.password == ours.password


def test_it_inherits_nothing_that_it_would_take_for_its_own(ours, monkeypatch):
    for name in ("DEBUG", "HOST", "USERNAME", "PASSWORD", "DJANGO_SETTINGS_MODULE", "POSTGRE_HOST", "CI"):
        monkeypatch.setenv(name, "release")
    monkeypatch.setenv("SECRET_KEY", "ours")
    told = ours.environment(8080)
    assert "release" not in told.values() and "ours" not in told.values()
    assert told["USE_DEFAULT_BANNED_SUBNETS"] == "false"
    assert "169.254.0.0/16" in told["USER_ADDITIONAL_BANNED_SUBNETS"]
    assert told["COLLECT_ANALYTICS"] == "false"


def test_an_installation_that_fails_says_where_to_look_and_is_begun_anew(ours, monkeypatch):
    said: list[str] = []
    fails = [[sys.executable, "-c", "raise SystemExit(3)"]]
    monkeypatch.setattr(LabelStudioHome, "commands", lambda self: fails)
    monkeypatch.setattr(label_studio, "NEEDED_BYTES", 0)
    with pytest.raises(CannotStart, match=r"could not be installed; .*install\.log says why"):
        ours.install(said.append)
    assert not ours.ready.exists()
    works = [[sys.executable, "-c", f"import pathlib; pathlib.Path({str(ours.venv)!r}).mkdir()"]]
    monkeypatch.setattr(LabelStudioHome, "commands", lambda self: works)
    ours.install(said.append)
    assert ours.ready.exists() and said[-1].startswith("Installed after")
    ours.install(lambda sentence: pytest.fail(sentence))


def test_without_uv_it_is_installed_by_pip(ours, monkeypatch):
    monkeypatch.setattr(label_studio.sys, "executable", str(ours.folder / "python"))
    monkeypatch.setattr(label_studio.shutil, "which", lambda name: None)
    made, installed = ours.commands()
    assert made[1:3] == ["-m", "venv"] and installed[-1] == "label-studio==1.23.2"


def test_two_commands_do_not_run_it_at_once(ours):
    with ours.lock() as first, ours.lock() as second:
        assert (first, second) == (True, False)


@pytest.mark.parametrize(("answer", "right"), [({"status": "UP"}, True), ({"ok": 1}, False), ([], False)])
def test_something_else_on_its_port_is_no_label_studio(answer, right):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        assert is_up(f"http://127.0.0.1:{server.server_port}") is right
        thread.join()
    assert not is_up("http://127.0.0.1:9")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "said", "sentence"),
    [
        (["A", "B"], "", "There are: A, B"), (["A"], "C", "There are: A"),
        (["A", "A"], "A", "Several projects"),
        ([], "", "none yet"),
    ],
)  # fmt: skip
def test_the_command_asks_for_a_project_that_it_can_tell(make_project, names, said, sentence):
    for name in names:
        make_project(name)
    with pytest.raises(CommandError, match=sentence):
        call_command("labelstudio", project=said)


@pytest.mark.django_db
def test_the_doctor_without_a_link_says_how_to_make_one():
    with pytest.raises(CommandError, match="labelstudio --project NAME"):
        call_command("labelstudio", "doctor")
