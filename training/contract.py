"""What the platform and a trainer agree on: `spec.json` in, `report.json` out (docs/runs.md). Torch-free.

Reading is strict: a field or version that this code does not know is refused, for whoever wrote it meant
something by it that would not be done.
"""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

VERSION = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda", "mps")
Agreed = TypeVar("Agreed", bound="RunSpec | RunReport")


class ContractError(ValueError):
    """A spec or report that cannot be meant, in one plain sentence."""


class Ended(StrEnum):
    """What ended a run. A run that was only interrupted has no report: it goes on."""

    STEPS = "steps"
    TIME = "time"
    NO_BETTER = "no better AP"
    FAILED = "failed"


@dataclass(frozen=True)
class DatasetAt:
    """A frozen dataset in a store: `coco` and the pictures' names are keys in the store at `url`.

    `sha256` is that of the COCO file, which holds the sha256 of every picture.
    """

    url: str
    sha256: str
    coco: str = "coco.json"

    def __post_init__(self) -> None:
        _check_sha256(self.sha256, "The dataset")


@dataclass(frozen=True)
class CheckpointAt:
    """A checkpoint in a store: `<sha256>.safetensors` and its card `<sha256>.json` at `url`."""

    url: str
    sha256: str

    def __post_init__(self) -> None:
        _check_sha256(self.sha256, "The checkpoint to start from")


@dataclass(frozen=True)
class RunSpec:
    """A run to do. `token` is the fencing token of whoever does it: the highest ever given out counts.

    Exactly one of `steps` and `epochs` says how long; `minutes` is a limit over all attempts together.
    `start` are weights to go on from; else `weights` is a torchvision name, or None for a random start.
    AP is measured every `measure_every` steps (None: twenty times, 0: never), and the run ends after
    `patience` measurements without a better one (0: it does not).
    """

    run: str
    token: int
    dataset: DatasetAt
    architecture: str = "fasterrcnn_mobilenet_v2_fpn"
    start: CheckpointAt | None = None
    weights: str | None = None
    seed: int = 1
    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    batch: int = 8
    rate: float = 4e-4
    longest_side: int = 512
    precision: str = "auto"
    device: str = "auto"
    measure_every: int | None = None
    patience: int = 5
    save_minutes: float = 3.0

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.epochs is None):
            raise ContractError("A run has either steps or epochs.")
        if self.start and self.weights:
            raise ContractError("A run has either a checkpoint to start from or weights, not both.")
        if self.precision not in PRECISIONS or self.device not in DEVICES:
            raise ContractError(
                f"The precision is one of {', '.join(PRECISIONS)}, the device one of {', '.join(DEVICES)}."
            )
        if not 64 <= self.longest_side <= 4096:
            raise ContractError("The longest side is from 64 to 4096 pixels.")
        for name in ("token", "steps", "epochs", "minutes", "batch", "rate"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise ContractError(f"{name} is more than 0, not {value}.")
        for name in ("seed", "measure_every", "patience", "save_minutes"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise ContractError(f"{name} is not less than 0, as {value} is.")

    def steps_for(self, pictures: int) -> int:
        """The steps of the whole run over a training split of so many pictures."""
        if self.steps is not None:
            return self.steps
        return max(1, math.ceil((self.epochs or 0) * pictures / self.batch))

    def recipe(self) -> dict[str, Any]:
        """What decides the result: not whose turn it is, where things lie, or how often they are saved."""
        said = asdict(self)
        for key in ("run", "token", "device", "minutes", "save_minutes"):
            del said[key]
        said["dataset"] = self.dataset.sha256
        said["start"] = self.start and self.start.sha256
        return said


@dataclass(frozen=True)
class RunReport:
    """How a run ended (`ended`: see `Ended`). `numbers`: of the checkpoint on the validation split.

    `step` is how far it went, `best_step` where the checkpoint's weights are from; `seconds` are those of all
    attempts. A failed run has a `sentence` and no checkpoint.
    """

    run: str
    token: int
    ended: str
    sentence: str
    dataset: str
    architecture: str
    checkpoint: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    step: int = 0
    best_step: int = 0
    seconds: float = 0.0
    device: str = ""

    def __post_init__(self) -> None:
        if self.ended not in list(Ended):
            raise ContractError(f"A run ends by one of {', '.join(Ended)}, not by {self.ended}.")
        if (self.checkpoint is None) != (self.ended == Ended.FAILED):
            raise ContractError("A run that failed has no checkpoint, every other has one.")
        if self.checkpoint is not None:
            _check_sha256(self.checkpoint, "The checkpoint")


def _check_sha256(value: str, what: str) -> None:
    if not SHA256.fullmatch(value):
        raise ContractError(f"{what} is named by its sha256, 64 digits from 0 to f, not by {value[:80]!r}.")


def write(agreed: RunSpec | RunReport) -> bytes:
    """As JSON, with its version."""
    return (json.dumps({"version": VERSION, **asdict(agreed)}, indent=2, allow_nan=False) + "\n").encode()


def read_spec(content: bytes) -> RunSpec:
    """Raises ContractError."""
    return _read(RunSpec, content, "spec.json")


def read_report(content: bytes) -> RunReport:
    """Raises ContractError."""
    return _read(RunReport, content, "report.json")


def _read(kind: type[Agreed], content: bytes, name: str) -> Agreed:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{name} is not JSON.") from error
    if not isinstance(document, dict):
        raise ContractError(f"{name} is not a JSON object.")
    version = document.pop("version", None)
    if version != VERSION or type(version) is not int:
        raise ContractError(f"{name} has version {_shown(version)}; this trainer knows {VERSION}.")
    try:
        agreed: Agreed = _object(kind, document, "")
    except ContractError as error:
        raise ContractError(f"{name}: {error}") from error
    return agreed


def _object(kind: type[Any], document: Any, at: str) -> Any:
    if not isinstance(document, dict):
        raise ContractError(f"{at.rstrip('.')} is {_shown(document)}, not an object.")
    known = {one.name: one for one in fields(kind)}
    if unknown := sorted(set(document) - set(known)):
        raise ContractError(f"{at}{unknown[0][:80]} is unknown.")
    hints = get_type_hints(kind)
    for name, one in known.items():
        if name not in document and one.default is MISSING and one.default_factory is MISSING:
            raise ContractError(f"{at}{name} is missing.")
    return kind(**{name: _value(hints[name], value, f"{at}{name}") for name, value in document.items()})


def _value(kind: Any, value: Any, name: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        if value is None:
            return None
        kind = next(one for one in get_args(kind) if one is not types.NoneType)
    if is_dataclass(kind):
        return _object(kind, value, f"{name}.")  # type: ignore[arg-type]
    if get_origin(kind) is Mapping:
        if not isinstance(value, dict):
            raise ContractError(f"{name} is {_shown(value)}, not an object.")
        return {key: _value(float, one, f"{name}.{key[:80]}") for key, one in value.items()}
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if type(value) is not kind or kind is float:
        words = {str: "a text", int: "a whole number", float: "a number"}
        raise ContractError(f"{name} is {_shown(value)}, not {words[kind]}.")
    return value


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]
