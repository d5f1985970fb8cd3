"""Loaded by `-p tests.plugin` before pytest-django reads the settings: a home and a database to throw away.

The server's address is known before it runs, so it only starts when the first test asks for the database.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondsticks.running.postgres import Postgres, throw_away_url

HOME = Path(tempfile.mkdtemp(prefix="secondsticks-tests-"))
HOME.chmod(0o755)  # root's server runs as another account, and must get in
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

for name in [name for name in os.environ if name.startswith("SECONDSTICKS_")]:
    del os.environ[name]
os.environ.update(
    SECONDSTICKS_HOME=str(HOME),
    DATABASE_URL=throw_away_url(HOME / "postgres"),
    SECRET_KEY=secrets.token_urlsafe(60),
    DEBUG="0",
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # The broker's address is fixed when Django starts: tests use that same database, not a test_ copy of it.
    if hasattr(config.option, "reuse_db"):
        config.option.reuse_db = True


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run the throw-away server for as long as tests need it, and return its address."""
    server = Postgres(HOME, throw_away=True)
    server.prepare()
    with (HOME / "postgres.log").open("ab") as log:
        process = server.spawn(log)
    try:
        server.wait_until_ready(process)
        yield server.url
    finally:
        server.stop(process)
        assert process.poll() is not None
