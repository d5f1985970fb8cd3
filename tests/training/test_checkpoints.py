from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from training.checkpoints import (
    CheckpointError,
    card_path,
    read_card,
    read_checkpoint,
    write_checkpoint,
    write_whole,
)


def make_checkpoint(folder: Path, **changes: object) -> Path:
    path = folder / "tiny.safetensors"
    fields = {"name": "tiny", "architecture": "none", "longest_side": 512} | changes
    write_checkpoint(path, {"weight": np.linspace(-1, 1, 7, dtype=np.float32)}, **fields)
    return path


def spoil_card(path: Path, **changes: object) -> None:
    card = json.loads(card_path(path).read_text())
    card_path(path).write_text(json.dumps(card | changes))


def test_weights_and_card_come_back(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path, recipe={"steps": 3}, limits=("rendered only",))
    card, arrays = read_checkpoint(path)
    assert (card.name, card.recipe, card.limits) == ("tiny", {"steps": 3}, ("rendered only",))
    assert card.classes == ("background", "open", "closed")
    assert arrays["weight"].dtype == np.float32
    np.testing.assert_allclose(arrays["weight"], np.linspace(-1, 1, 7), atol=1e-3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_full_precision_is_kept_when_wanted(tmp_path: Path) -> None:
    exact = np.array([1 / 3], np.float32)
    write_checkpoint(
        tmp_path / "t.safetensors", {"w": exact}, half=False, name="t", architecture="none", longest_side=64
    )
    assert read_checkpoint(tmp_path / "t.safetensors")[1]["w"] == exact


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="sha256 differs"):
        read_checkpoint(path)


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path)
    path.write_bytes(b"\x80\x04pickle")
    spoil_card(path, sha256=hashlib.sha256(b"\x80\x04pickle").hexdigest())
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["background", "slate"]}, "knows background, slate, not"),
        ({"version": 2}, "has version 2"),
        ({"longest_side": 7}, "pictures of 7 pixels"),
        ({"longest_side": "wide"}, "lacks or garbles"),
        ({"sources": 3}, "lacks or garbles"),
    ],
)
def test_a_foreign_card_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = make_checkpoint(tmp_path)
    spoil_card(path, **changes)
    with pytest.raises(CheckpointError, match=said):
        read_card(path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors cannot be read"):
        read_checkpoint(path)
    card_path(path).write_text("{")
    with pytest.raises(CheckpointError, match=r"tiny\.json is not JSON"):
        read_card(path)
    card_path(path).unlink()
    with pytest.raises(CheckpointError, match=r"no readable card tiny\.json"):
        read_card(path)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e6])
def test_weights_that_are_not_finite_are_not_written(tmp_path: Path, poison: float) -> None:
    with pytest.raises(CheckpointError, match="not finite"):
        write_checkpoint(
            tmp_path / "t.safetensors",
            {"w": np.array([poison], np.float32)},
            name="t",
            architecture="none",
            longest_side=64,
        )
    assert not list(tmp_path.iterdir())


def test_poisoned_weights_are_refused_on_reading(tmp_path: Path) -> None:

    path = make_checkpoint(tmp_path)
    content = save({"weight": np.array([np.nan], np.float32)})
    path.write_bytes(content)
    spoil_card(path, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(CheckpointError, match="not numbers"):
        read_checkpoint(path)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    write_whole(tmp_path / "a", b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a", b"new")]
