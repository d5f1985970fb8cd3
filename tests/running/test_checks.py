"""Each thing that can stop a start is one sentence that says what to do."""

import socket
from pathlib import Path

import pytest

from secondsticks.running import checks
from secondsticks.running.sentences import CannotStart


def test_a_port_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CannotStart, match=rf"^Port {port} on localhost is in use.*PORT={port + 1}`\.$"):
            checks.port_is_free("localhost", port)

    checks.port_is_free("localhost", port)


def test_no_disk_space(tmp_path: Path) -> None:
    checks.disk_has_room(tmp_path, needed=1)

    with pytest.raises(CannotStart, match=r"^Only \d+ MB are free .* set SECONDSTICKS_HOME"):
        checks.disk_has_room(tmp_path, needed=10**18)


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    checks.home_is_writable(tmp_path / "new")
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match=r"cannot be written \(Not a directory\).* SECONDSTICKS_HOME"):
        checks.home_is_writable(tmp_path / "file" / "home")

    assert list((tmp_path / "new").iterdir()) == []


def test_a_public_host_without_an_address() -> None:
    checks.public_host_has_origin("127.0.0.1", [])
    checks.public_host_has_origin("0.0.0.0", ["https://sticks.example.org"])

    with pytest.raises(CannotStart, match="SECONDSTICKS_ORIGIN"):
        checks.public_host_has_origin("0.0.0.0", [])


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    checks.python_is_new_enough()
    monkeypatch.setattr("sys.version_info", (3, 10, 4))

    with pytest.raises(CannotStart, match=r"Python 3\.11 or newer"):
        checks.python_is_new_enough()
