"""AP against the number of labels: area, labels to equal AP, and a picture of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2
from statistics import mean
from typing import Any

Rounds = Sequence[Mapping[str, Any]]
Curve = dict[int, float]
OURS = "diverse"
COLOURS = {"diverse": "#0b7a75", "one per clip": "#d1495b", "uncertain": "#edae49", "random": "#6c757d"}


def summary(rounds: Rounds, *, measure: str) -> dict[str, Any]:
    """Means over the seeds that every strategy has finished, and what ours gains on each of the others."""
    curves = curves_of(rounds, measure)
    seeds = _shared(curves)
    if not seeds:
        return {"seeds": []}
    middle = {name: mean_curve([of_seed[seed] for seed in seeds]) for name, of_seed in curves.items()}
    return {
        "seeds": seeds,
        "mean": {name: _rounded(curve) for name, curve in middle.items()},
        "area": {name: round(area(curve), 4) for name, curve in middle.items()},
        "ours_against": {
            name: {
                "area_gain_by_seed": [round(area(curves[OURS][s]) - area(curves[name][s]), 4) for s in seeds],
                "labels_to_equal": equal_labels(middle[OURS], middle[name]),
            }
            for name in middle
            if name != OURS and OURS in middle
        },
    }


def curves_of(rounds: Rounds, measure: str = "AP") -> dict[str, dict[int, Curve]]:
    """By strategy and seed."""
    curves: defaultdict[str, defaultdict[int, Curve]] = defaultdict(lambda: defaultdict(dict))
    for one in rounds:
        if one["strategy"] != "start":
            curves[one["strategy"]][one["seed"]][one["labels"]] = one[measure]
    return {name: dict(of_seed) for name, of_seed in curves.items()}


def _shared(curves: Mapping[str, Mapping[int, Curve]]) -> list[int]:
    """Seeds with all rounds of all strategies."""
    most = max((len(curve) for of_seed in curves.values() for curve in of_seed.values()), default=0)
    whole = [{seed for seed, curve in of_seed.items() if len(curve) == most} for of_seed in curves.values()]
    return sorted(set.intersection(*whole)) if len(whole) == len(COLOURS) else []


def mean_curve(curves: Sequence[Curve]) -> Curve:
    return {labels: mean(curve[labels] for curve in curves) for labels in sorted(curves[0])}


def area(curve: Curve) -> float:
    """Under the curve over the number of labels, as a mean AP (trapezoids)."""
    points = sorted(curve.items())
    whole = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))
    return whole / (points[-1][0] - points[0][0])


def equal_labels(ours: Curve, other: Curve) -> dict[str, float | int | str]:
    """Labels that ours needs for the best AP that the other has, and the share of what the other needed."""
    needed, goal = max(other.items(), key=lambda point: (point[1], -point[0]))
    points = sorted(ours.items())
    if points[0][1] >= goal:
        return {"AP": round(goal, 4), "other": needed, "ours": f"at most {points[0][0]}"}
    for (x0, y0), (x1, y1) in pairwise(points):
        if y1 >= goal:
            labels = x0 + (x1 - x0) * (goal - y0) / (y1 - y0)
            return {"AP": round(goal, 4), "other": needed, "ours": round(labels)}
    return {"AP": round(goal, 4), "other": needed, "ours": f"more than {points[-1][0]}"}


def _rounded(curve: Curve) -> dict[str, float]:
    return {str(labels): round(value, 4) for labels, value in curve.items()}


def plot(rounds: Rounds, *, measure: str = "AP") -> str:
    """An SVG: each strategy's mean as a line, each seed as a dot."""
    curves = curves_of(rounds, measure)
    points = [point for of_seed in curves.values() for curve in of_seed.values() for point in curve.items()]
    if not points:
        return "<svg xmlns='http://www.w3.org/2000/svg'/>"
    place = _Place([x for x, _ in points], [y for _, y in points])
    drawn = [place.axes(measure)]
    for row, (name, of_seed) in enumerate(curves.items()):
        drawn.append(place.curve(name, list(of_seed.values()), row))
    size = f"width='{WIDE}' height='{HIGH}' viewBox='0 0 {WIDE} {HIGH}'"
    style = "<style>text{font:13px sans-serif;fill:#333}</style>"
    paper = "<rect width='100%' height='100%' fill='white'/>"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{style}{paper}{''.join(drawn)}</svg>\n"


WIDE, HIGH, LEFT, TOP, RIGHT, BOTTOM = 640, 400, 60, 20, 20, 50


class _Place:
    """Where a number of labels (doubling) and an AP are in the picture."""

    def __init__(self, labels: Sequence[int], values: Sequence[float]) -> None:
        self._labels = sorted(set(labels))
        self._low, self._high = int(min(values) * 20) / 20, (int(max(values) * 20) + 1) / 20

    def x(self, labels: int) -> float:
        first, last = log2(self._labels[0]), log2(self._labels[-1])
        part = (log2(labels) - first) / (last - first) if last > first else 0.5
        return round(LEFT + 15 + part * (WIDE - LEFT - RIGHT - 30), 1)

    def y(self, value: float) -> float:
        part = (value - self._low) / (self._high - self._low)
        return round(HIGH - BOTTOM - part * (HIGH - TOP - BOTTOM), 1)

    def axes(self, measure: str) -> str:
        lines = []
        steps = round((self._high - self._low) / 0.05)
        for value in (self._low + 0.05 * step for step in range(steps + 1)):
            y = self.y(value)
            lines.append(f"<line x1='{LEFT}' x2='{WIDE - RIGHT}' y1='{y}' y2='{y}' stroke='#ddd'/>")
            lines.append(f"<text x='{LEFT - 8}' y='{y + 4}' text-anchor='end'>{value:.2f}</text>")
        for labels in self._labels:
            lines.append(
                f"<text x='{self.x(labels)}' y='{HIGH - BOTTOM + 20}' text-anchor='middle'>{labels}</text>"
            )
        lines.append(f"<text x='{WIDE / 2}' y='{HIGH - 10}' text-anchor='middle'>labels</text>")
        lines.append(f"<text x='10' y='{TOP - 5}'>{measure}</text>")
        return "".join(lines)

    def curve(self, name: str, seeds: Sequence[Curve], row: int) -> str:
        colour = COLOURS[name]
        dots = [
            f"<circle cx='{self.x(labels)}' cy='{self.y(value)}' r='3' fill='{colour}' fill-opacity='.45'/>"
            for curve in seeds
            for labels, value in curve.items()
        ]
        whole = [curve for curve in seeds if len(curve) == len(self._labels)]
        middle = mean_curve(whole) if whole else {}
        path = " ".join(f"{self.x(labels)},{self.y(value)}" for labels, value in middle.items())
        line = f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2.5'/>"
        y = HIGH - BOTTOM - 80 + 20 * row
        key = f"<rect x='{WIDE - 150}' y='{y - 9}' width='20' height='4' fill='{colour}'/>"
        return "".join(dots) + line + key + f"<text x='{WIDE - 122}' y='{y - 2}'>{name}</text>"
