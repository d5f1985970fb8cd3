"""What the environment may say."""

import stat
from pathlib import Path

import pytest

from ml_backend.configuration import Misconfigured, configuration


def test_without_a_word_everything_is_in_the_home(tmp_path: Path) -> None:
    told = configuration({"SECONDSTICKS_HOME": str(tmp_path)})
    again = configuration({"SECONDSTICKS_HOME": str(tmp_path), "SECONDSTICKS_ML_SECRET": ""})

    assert told.store.url == (tmp_path / "store").as_uri()
    assert told.secret == again.secret and len(told.secret) >= 40
    assert stat.S_IMODE((tmp_path / "ml_secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ml_secret"]
    assert told.threads >= 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECONDSTICKS_ML_SECRET", "short", "SECONDSTICKS_ML_SECRET needs at least 50 plain characters."),
        ("SECONDSTICKS_ML_SECRET", "ä" * 60, "SECONDSTICKS_ML_SECRET needs at least 50 plain characters."),
        ("SECONDSTICKS_ML_THREADS", "many", "SECONDSTICKS_ML_THREADS is 'many'; give a number from 1 on."),
        ("SECONDSTICKS_ML_THREADS", "0", "SECONDSTICKS_ML_THREADS is '0'; give a number from 1 on."),
        ("SECONDSTICKS_ML_HOSTS", "10.0.0.0/99", "is neither a host nor a network"),
        ("SECONDSTICKS_STORE", "gopher://x", "is not a store"),
        ("SECONDSTICKS_HOME", "/dev/null/home", "cannot be used: Not a directory."),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        configuration({"SECONDSTICKS_HOME": str(tmp_path), name: value})
    assert sentence in str(refused.value)
