"""How the share of proposals that were accepted unchanged went, as a small chart that the server draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from secondsticks.footage.models import Project
from secondsticks.labeling.estimates import Share

#: Labels behind one point at least, and points at most: with more labels each point stands for more.
EACH, MOST_POINTS = 25, 40
#: The chart's own units. It is stretched to the page; lines and dots keep their width (queue.css).
WIDTH, HEIGHT = 1000, 100

#: Parts are counted from the newest answer back, so that the last point is whole; the oldest rest is left.
_PARTS = """
WITH told AS (
    SELECT said.at, (said.origin = 'accepted')::int AS accepted,
        ROW_NUMBER() OVER (ORDER BY said.at DESC, said.id DESC) - 1 AS nth, COUNT(*) OVER () AS whole
    FROM labeling_annotation AS said
    WHERE said.project_id = %(project)s AND said.undoes_id IS NULL
      AND (said.origin IN ('accepted', 'changed') OR said.origin = 'drawn' AND EXISTS (
          SELECT 1 FROM labeling_queuedframe AS frame
          WHERE frame.id = said.frame_id AND frame.checkpoint_id IS NOT NULL))
      AND NOT EXISTS (SELECT 1 FROM labeling_annotation AS undo WHERE undo.undoes_id = said.id)
), parts AS (
    SELECT *, %(each)s * GREATEST(1, CEIL(whole::float / %(each)s / %(most)s))::int AS each FROM told
)
SELECT SUM(accepted), COUNT(*), MIN(at), MAX(at) FROM parts
GROUP BY nth / each, each HAVING COUNT(*) = each ORDER BY nth / each DESC
"""


@dataclass(frozen=True)
class Point:
    """So many labels in a row, and when the first and the last of them were given."""

    share: Share
    first: datetime
    last: datetime
    x: float

    @property
    def y(self) -> float:
        return _y(self.share.hits / self.share.tries)


@dataclass(frozen=True)
class Chart:
    """The shares in the order of time. Empty while there are too few labels for a line."""

    points: tuple[Point, ...] = ()

    def __bool__(self) -> bool:
        return len(self.points) > 1

    @property
    def each(self) -> int:
        return self.points[0].share.tries

    @property
    def line(self) -> str:
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def band(self) -> str:
        """The outline of the 95 % intervals."""
        above = [f"{point.x:g},{_y(point.share.interval[1]):g}" for point in self.points]
        below = [f"{point.x:g},{_y(point.share.interval[0]):g}" for point in self.points]
        return " ".join([*above, *reversed(below)])

    @property
    def in_words(self) -> str:
        """What the line shows, for who cannot see it."""
        first, last = self.points[0].share.percent, self.points[-1].share.percent
        shares = [point.share.percent for point in self.points]
        return (
            f"Share of proposals accepted unchanged, {len(shares)} points of {self.each} labels each: from "
            f"{first} % to {last} %, lowest {min(shares)} %, highest {max(shares)} %."
        )


def _y(share: float) -> float:
    return round(HEIGHT * (1 - share), 1)


def accepted_over_time(project: Project) -> Chart:
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, {"project": project.pk, "each": EACH, "most": MOST_POINTS})
        rows = cursor.fetchall()
    apart = WIDTH / max(1, len(rows) - 1)
    return Chart(
        tuple(
            Point(Share(hits, tries), first, last, round(place * apart, 1))
            for place, (hits, tries, first, last) in enumerate(rows)
        )
    )
