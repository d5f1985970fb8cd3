"""What another program says about pictures: what can be taken over, and what cannot and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from training.label_studio import NAMES
from training.slates import Box, State

FRAME_KEY = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/(0|[1-9][0-9]{0,8})")
#: Slates in one picture; more are a mistake.
MOST_BOXES = 16
MOST_FRAMES = 50_000
LONGEST_NAME = 500


class ExchangeError(ValueError):
    """A file that cannot be used at all; says why in a sentence."""


class PictureProblem(ValueError):
    """Something about one picture that cannot be used; says what in a sentence."""


@dataclass(frozen=True)
class Wishes:
    """How to understand a file. `names`: what its labels mean; `empty`: no box means "no slate here"."""

    names: Mapping[str, State] = field(default_factory=lambda: dict(NAMES))
    empty: bool = False


@dataclass(frozen=True)
class ForeignBox:
    """A slate, in pixels; `id` as the other program has it."""

    id: str
    box: Box
    state: State


@dataclass(frozen=True)
class ForeignFrame:
    """A labelled picture. `picture`: its name in the archive, empty when it is not there.

    `file_name` and `id` are the other program's; `part` is the file or folder of the archive that says this.
    """

    id: str
    file_name: str
    part: str
    width: int
    height: int
    boxes: tuple[ForeignBox, ...]
    picture: str = ""
    frame_key: str = ""
    author: str = ""


@dataclass(frozen=True)
class Problem:
    """What is not taken over: which picture or file, and why."""

    where: str
    sentence: str


@dataclass
class Foreign:
    """What an archive holds. `unsaid`: pictures about which nobody said anything."""

    format: str
    frames: list[ForeignFrame] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unsaid: int = 0

    def refuse(self, where: str, sentence: str) -> None:
        self.problems.append(Problem(where[:LONGEST_NAME], sentence))


def frame_key_in(said: object) -> str:
    """A name of one of our frames; empty for anything else."""
    return said if isinstance(said, str) and FRAME_KEY.fullmatch(said) else ""


def text_in(said: object, longest: int = LONGEST_NAME) -> str:
    """A short text or number as text, without anything that a database or a terminal minds."""
    text = said if isinstance(said, str) else str(said) if isinstance(said, int) else ""
    return "".join(letter for letter in text if letter.isprintable())[:longest]
