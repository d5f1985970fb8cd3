"""Scene, take, roll and camera from the lines of a slate, by the labels that their values stand beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import mean

from training.slate_text.layout import Line, Point, Word, at_gaps, level, part, tilt_of, words_of
from training.slate_text.words import FIELDS, FILLERS, NAMES, Label, label_and_rest, label_of, plain, value_of

#: How sure a value is by where it stands: after its label on one line, below it, or to its right.
PLACES = {"after": 1.0, "below": 1.0, "right": 0.95, "far off": 0.75}
#: Of one of several words beside a label, of a value read in a second look, of numbers without labels.
ONE_OF_MANY, LOOKED_AGAIN, UNLABELLED = 0.9, 0.95, 0.5
#: A value this many widths of its label to the right of it is far off: a hand may cover a nearer label.
FAR = 1.6
#: In a second look: of what was read without a sign that it is writing; of a 1, maybe a rule of the form.
WITHOUT_A_SIGN, OR_A_RULE = 0.85, 0.7
#: A value from this confidence on is worth showing where nobody can check it.
CONFIDENT = 0.8
#: Lengths in heights of a label: as far may a value lie to its right, and as tall is its cell at most.
REACH, TALL = 6.0, 6.0

Corners = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Read:
    """What a field says, and how sure that is, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Marked:
    """A label and where it stands."""

    label: Label
    word: Word


class Form:
    """The labels and values of a slate, from the lines that were read on it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._tilt = tilt_of(lines)
        self._labels: list[_Marked] = []
        self._values: list[Word] = []
        for _, words in groupby(words_of(lines, self._tilt), key=lambda word: word.line):
            self._sort(list(words))
        strong = {one.label.field for one in self._labels if not one.label.weak}
        self._counting = [
            one for one in self._labels if one.label.field and not (one.label.weak and "scene" in strong)
        ]
        self._beside = self._assigned()

    @property
    def labels(self) -> int:
        """How many labels were found."""
        return len(self._labels)

    def fields(self) -> dict[str, Read]:
        """Field -> what it says; those that were not found are missing."""
        best: dict[str, Read] = {}
        for one in self._counting:
            for read in _readings(one.label, self._beside.get(id(one), [])):
                if one.label.field not in best or read.confidence > best[one.label.field].confidence:
                    best[one.label.field] = read
        return best or self._unlabelled()

    def cells(self) -> dict[str, Corners]:
        """Where the value of each labelled field should stand: for a second look."""
        return {
            one.label.field: self._cell(one)
            for one in sorted(self._counting, key=lambda one: one.label.quality)
            if one.label.quality > NAMES
        }

    def _assigned(self) -> dict[int, list[tuple[str, Word]]]:
        """Label -> the values that stand beside it rather than beside another one, and in what manner."""
        beside: dict[int, list[tuple[str, Word]]] = {}
        for value in self._values:
            places = ((one, *self._place(one, value)) for one in self._labels)
            found = [(cost, place, one) for one, cost, place in places if place]
            if found:
                _, place, nearest = min(found, key=lambda each: each[0])
                beside.setdefault(id(nearest), []).append((place, value))
        return beside

    def _sort(self, words: list[Word]) -> None:
        """Tell labels from values on one line."""
        before: _Marked | None = None
        for word in words:
            label = label_of(word.text)
            joined = None if label else label_and_rest(word.text)
            if label:
                before = self._add_label(label, word, before)
            elif joined:
                before = self._add_label(joined[0], part(word, 0, joined[1]), before)
                self._values += at_gaps(part(word, joined[1], len(word.text)))
            elif before is None or plain(word.text).strip(".:°º#-") not in FILLERS:
                self._values += at_gaps(word)
                before = None

    def _add_label(self, label: Label, word: Word, before: _Marked | None) -> _Marked:
        """CAM ROLL is one label, and SOUND ROLL is none of ours."""
        if before is not None and label.field == "roll" and before.label.field in ("camera", ""):
            if before.label.field == "camera":
                self._labels.remove(before)
            elif plain(before.word.text).startswith(("SOUND", "TON", "SON", "SUO")):
                label = Label("", label.quality)
        marked = _Marked(label, word)
        self._labels.append(marked)
        return marked

    def _place(self, one: _Marked, value: Word) -> tuple[float, str]:
        """How far a value lies from a label, in heights of the label, and in what manner or ""."""
        label, high = one.word, one.word.high
        if value.line == label.line and value.left >= label.right - 0.2 * high:
            between = [
                o for o in self._labels if o.word.line == label.line and label.left < o.word.left < value.left
            ]
            return 0.0, "" if between else "after"
        below = (value.top - label.bottom) / high
        in_column = label.left - 0.6 * high <= value.x < self._column_end(one)
        if value.y > label.bottom and in_column and below < 1.5 * max(1.0, value.high / high):
            far_off = value.x - label.x > FAR * (label.right - label.left)
            return max(0.0, below), "far off" if far_off else "below"
        right = (value.left - label.right) / high
        level_with = abs(value.y - label.y) < 0.6 * max(high, value.high)
        if level_with and -0.3 <= right < REACH and value.right < self._column_end(one) + high:
            far_off = value.left - label.right > FAR * (label.right - label.left)
            return max(0.0, right) / 2, "far off" if far_off else "right"
        return 0.0, ""

    def _column_end(self, one: _Marked) -> float:
        """Where the column of a label ends: at the next label of its row."""
        label = one.word
        row = [
            other.word.left
            for other in self._labels
            if other.word.left > label.right and abs(other.word.y - label.y) < 0.8 * label.high
        ]
        if row:
            return min(row) - 0.3 * label.high
        return label.left + max(8 * label.high, 3 * (label.right - label.left))

    def _cell(self, one: _Marked) -> Corners:
        label, high = one.word, one.word.high
        left, right = label.left, self._column_end(one) - 0.7 * high  # within the rules around it
        across = [word for word in self._values if word.left < left - high or word.right > right + high]
        below = [
            word.top for word in (*(o.word for o in self._labels), *across) if word.top > label.bottom + high
        ]
        top = label.bottom + 0.1 * high
        bottom = min([*below, label.bottom + TALL * high]) - 0.15 * high
        at = [
            level(corner, -self._tilt)
            for corner in ((left, top), (right, top), (right, bottom), (left, bottom))
        ]
        return at[0], at[1], at[2], at[3]

    def _unlabelled(self) -> dict[str, Read]:
        """A slate without labels: its largest writing is roll, scene and take, or scene and take."""
        if any(one.label.field for one in self._labels):
            return {}
        tallest = max((word.high for word in self._values), default=0.0)
        large = sorted(
            (word for word in self._values if word.high > 0.6 * tallest), key=lambda word: word.left
        )
        names = {2: ("scene", "take"), 3: ("roll", "scene", "take")}.get(len(large), ())
        read = {}
        for name, word in zip(names, large, strict=False):
            if (value := value_of(name, word.text)) is None:
                return {}
            read[name] = Read(value[0], word.score * value[1] * UNLABELLED)
        return read


def _readings(label: Label, beside: list[tuple[str, Word]]) -> Iterator[Read]:
    """What the words beside a label can mean: those of one line together, or one of them."""
    for (place, _), group in groupby(beside, key=lambda pair: (pair[0], pair[1].line)):
        words = sorted((word for _, word in group), key=lambda word: word.left)
        sure = label.quality * PLACES[place]
        whole = value_of(label.field, "".join(word.text for word in words))
        if whole:
            yield Read(whole[0], mean(word.score for word in words) * whole[1] * sure)
        elif label.field != "camera":  # of a name there, no letter is the camera
            for word in words:
                value = value_of(label.field, word.text) if any(map(str.isdigit, word.text)) else None
                if value:
                    yield Read(value[0], word.score * value[1] * sure * ONE_OF_MANY)


def looked_again(field: str, text: str, score: float, *, seen: bool = True) -> Read | None:
    """What a second look at a field's cell alone gave. `seen`: a line of writing was found there."""
    value = value_of(field, text)
    if value is None:
        return None
    doubt = (1.0 if seen else WITHOUT_A_SIGN) * (OR_A_RULE if set(value[0]) == {"1"} else 1.0)
    return Read(value[0], score * value[1] * LOOKED_AGAIN * doubt)


__all__ = ["CONFIDENT", "FIELDS", "Corners", "Form", "Line", "Read", "looked_again"]
