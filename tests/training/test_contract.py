from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from training.contract import (
    CheckpointAt,
    ContractError,
    DatasetAt,
    Ended,
    RunReport,
    RunSpec,
    read_report,
    read_spec,
    write,
)

SHA = "5" * 64
SPEC = RunSpec("run-1", 3, DatasetAt("s3://bucket/datasets", SHA), steps=100)
REPORT = RunReport("run-1", 3, Ended.STEPS, "Trained.", SHA, "a", checkpoint=SHA, numbers={"AP": 0.5})


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(write(SPEC)) | changes).encode()


def test_specs_and_reports_come_back_as_they_were() -> None:
    rich = replace(
        SPEC, steps=None, epochs=1.5, minutes=30.0, start=CheckpointAt("file:///checkpoints", SHA), patience=0
    )
    assert [read_spec(write(spec)) for spec in (SPEC, rich)] == [SPEC, rich]
    assert read_report(write(REPORT)) == REPORT
    failed = RunReport("run-1", 3, Ended.FAILED, "The dataset is torn.", SHA, "a")
    assert read_report(write(failed)) == failed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 2}, "spec.json has version 2; this trainer knows 1."),
        ({"version": True}, "has version true"),
        ({"colour": "red"}, "spec.json: colour is unknown."),
        ({"dataset": {"url": "s3://b", "sha256": SHA, "split": 1}}, "dataset.split is unknown"),
        ({"dataset": {"url": "s3://b"}}, "dataset.sha256 is missing"),
        ({"dataset": {"url": "s3://b", "sha256": "abc"}}, "named by its sha256"),
        ({"dataset": "here"}, "dataset is "),
        ({"steps": 1.5}, "steps is 1.5, not a whole number"),
        ({"steps": True}, "steps is true, not a whole number"),
        ({"steps": None}, "either steps or epochs"),
        ({"steps": 0}, "steps is more than 0"),
        ({"rate": "high"}, "not a number"),
        ({"rate": float("nan")}, "not a number"),
        ({"token": 0}, "token is more than 0"),
        ({"patience": -1}, "patience is not less than 0"),
        ({"precision": "float8"}, "precision is one of"),
        ({"longest_side": 8}, "from 64 to 4096"),
        ({"weights": "W", "start": {"url": "s3://b", "sha256": SHA}}, "not both"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        read_spec(changed(**changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(ContractError, match="is not"):
        read_spec(content)


def test_reports_without_their_checkpoint_are_refused() -> None:
    document = json.loads(write(REPORT))
    for changes, sentence in (
        ({"checkpoint": None}, "failed has no checkpoint"),
        ({"ended": "bored"}, "ends by one of"),
        ({"numbers": {"AP": "good"}}, "numbers.AP is"),
    ):
        with pytest.raises(ContractError, match=sentence):
            read_report(json.dumps(document | changes).encode())


def test_epochs_are_steps_over_the_training_split() -> None:
    assert replace(SPEC, steps=None, epochs=2.0).steps_for(9) == 3  # 18 pictures in batches of 8


def test_the_recipe_is_the_same_whoever_trains() -> None:
    other = replace(SPEC, token=9, device="cuda", save_minutes=1.0, dataset=DatasetAt("file:///here", SHA))
    assert other.recipe() == SPEC.recipe()
    assert replace(SPEC, seed=2).recipe() != SPEC.recipe()


def test_the_contract_knows_no_torch() -> None:
    modules = "training.contract, training.run_folder, training.frozen"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
