from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.drawn import draw_set
from training import loop
from training.checkpoints import read_checkpoint
from training.loop import Options, rate_at
from training.run_state import EVENTS, STATE, RunError
from training.train import main, train


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_set(tmp_path_factory.mktemp("drawn"))


def make_options(dataset: Path, out: Path, **changes: Any) -> Options:
    options = Options((dataset,), out, steps=4, batch=2, warmup=2, longest_side=96, workers=0, device="cpu")
    return replace(options, **changes)


def events(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / EVENTS).read_text().splitlines()]


def test_a_run_leaves_a_checkpoint_its_recipe_and_events(dataset: Path, tmp_path: Path) -> None:
    card, arrays = read_checkpoint(train(make_options(dataset, tmp_path / "run", name="little")))
    assert (card.name, card.longest_side, card.recipe["steps_done"]) == ("little", 96, 4)
    assert card.recipe["dataset"] == [dataset.name]
    assert str(tmp_path) not in json.dumps(dict(card.recipe))
    assert any(key.startswith("roi_heads") for key in arrays)
    assert [event["event"] for event in events(tmp_path / "run")] == ["started", "step"]
    assert events(tmp_path / "run")[-1].keys() >= {"loss", "classifier", "objectness", "eta_s", "step"}


class Killed(BaseException):
    """As a kill -9 between two steps: nothing after it runs."""


def test_a_killed_run_goes_on_to_the_same_weights(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = read_checkpoint(train(make_options(dataset, tmp_path / "unbroken")))[1]
    options = make_options(dataset, tmp_path / "killed", save_minutes=0)
    step = loop.take_step

    def deadly(state: Any, *rest: Any) -> Any:
        if state.step == 2:
            raise Killed
        return step(state, *rest)

    monkeypatch.setattr(loop, "take_step", deadly)
    with pytest.raises(Killed):
        train(options)
    monkeypatch.setattr(loop, "take_step", step)
    resumed = read_checkpoint(train(options))[1]
    assert [event["step"] for event in events(options.out) if event["event"] == "started"] == [0, 2]
    assert all((unbroken[key] == resumed[key]).all() for key in unbroken)


def test_a_finished_run_started_again_only_exports(dataset: Path, tmp_path: Path) -> None:
    options = make_options(dataset, tmp_path / "run", steps=1)
    content = train(options).read_bytes()
    assert train(options).read_bytes() == content


def test_another_run_in_the_same_folder_is_refused(dataset: Path, tmp_path: Path) -> None:
    options = make_options(dataset, tmp_path / "run", steps=1)
    train(options)
    with pytest.raises(RunError, match="other options or another dataset"):
        train(replace(options, seed=2))


def test_a_torn_state_is_said(dataset: Path, tmp_path: Path) -> None:
    options = make_options(dataset, tmp_path, steps=1)
    (tmp_path / STATE).write_bytes(b"torn")
    with pytest.raises(RunError, match="torn"):
        train(options)


def test_seeds_make_the_run(dataset: Path, tmp_path: Path) -> None:
    runs = [
        read_checkpoint(train(make_options(dataset, tmp_path / name, steps=1, seed=seed)))[1]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    same, other = ([(runs[0][key] == run[key]).all() for key in run] for run in runs[1:])
    assert all(same)
    assert not all(other)


def test_learning_lowers_the_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_STEPS", 1)
    nothing = draw_set(tmp_path / "nothing", count=0, empty=2)
    train(make_options(nothing, tmp_path, steps=6, rate=1e-3, warmup=1))
    losses = [event["loss"] for event in events(tmp_path) if event["event"] == "step"]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


def test_a_run_goes_on_from_a_checkpoint_at_another_size(dataset: Path, tmp_path: Path) -> None:
    start = train(make_options(dataset, tmp_path / "first", steps=1))
    second = make_options(dataset, tmp_path / "second", steps=1, rate=0.0, start=start, longest_side=128)
    card, arrays = read_checkpoint(train(second))
    assert card.longest_side == 128
    assert all((value == arrays[key]).all() for key, value in read_checkpoint(start)[1].items())
    other = replace(second, architecture="fasterrcnn_mobilenet_v3_large_fpn", out=tmp_path / "third")
    with pytest.raises(RunError, match="is a fasterrcnn_mobilenet_v2_fpn"):
        train(other)


def test_a_loss_that_is_not_a_number_ends_the_run(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a number"):
        train(make_options(dataset, tmp_path, rate=1e30, warmup=1))


def test_the_rate_warms_up_and_falls() -> None:
    options = Options((), Path(), steps=100, warmup=10, rate=1.0)
    rates = [rate_at(step, options) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert math.isclose(rates[-1], 0.01, abs_tol=1e-3)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dataset", str(tmp_path), "--out", str(tmp_path / "run")]) == 1
    assert "holds no COCO file" in capsys.readouterr().err


def test_the_command_trains(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        f"--dataset {dataset} --out {tmp_path} --steps 1 --batch 1 --longest-side 96 --workers 0 --device cpu"
    )
    assert main(words.split()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "checkpoint.safetensors")
