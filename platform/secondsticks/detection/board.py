"""The project board: its clips with what their scans say, counted, filtered, searched, sorted and paged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import OrderBy

from secondsticks.detection.models import Clap
from secondsticks.detection.rows import Row
from secondsticks.detection.statuses import JUDGED, STATUSES, with_scans, with_status
from secondsticks.footage.models import Clip, Project

PAGE_SIZE = 50

SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "added": ("-created_at", "-pk"),
    "duration": ("seconds", "pk"),
    "-duration": (F("seconds").desc(nulls_last=True), "pk"),
    "doubt": (F("least").asc(nulls_last=True), "name", "pk"),
}
SORT_WORDS = {
    "name": "name A–Z",
    "-name": "name Z–A",
    "added": "newest first",
    "-duration": "longest first",
    "duration": "shortest first",
    "doubt": "least confident first",
}
#: Whether people have confirmed what a clip is said to be.
CONFIRMED = {"yes": True, "no": False}


@dataclass(frozen=True)
class Wish:
    """What a person asked the board for. Anything we don't know is as if it had not been said."""

    status: str = ""
    sort: str = "name"
    search: str = ""
    confirmed: str = ""
    page: str = "1"

    @classmethod
    def from_query(cls, query) -> Wish:
        status, sort = query.get("verdict", ""), query.get("sort", "")
        return cls(
            status=status if status in STATUSES else "",
            sort=sort if sort in SORTS else "name",
            search=query.get("q", "").replace("\x00", "").strip()[:200],
            confirmed=query.get("confirmed", "") if query.get("confirmed") in CONFIRMED else "",
            page=query.get("page", "1"),
        )

    def query(self, **changes: str) -> str:
        """The query string of this wish with some of it changed; changes lead back to page 1."""
        page = "1" if changes else self.page
        said = {"verdict": self.status, "confirmed": self.confirmed, "sort": self.sort, "q": self.search}
        said |= {"page": page, **changes}
        defaults = {"sort": "name", "page": "1"}
        return urlencode(
            {name: value for name, value in said.items() if value and value != defaults.get(name)}
        )


@dataclass(frozen=True)
class Board:
    wish: Wish
    counts: dict[str, int]
    page: Page
    confirmed: int

    sorts = tuple(SORT_WORDS.items())

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_working(self) -> bool:
        return bool(self.counts.get("working"))

    @property
    def rows(self) -> list[Row]:
        return [Row(clip) for clip in self.page.object_list]

    @property
    def query_of_all(self) -> str:
        return self.wish.query(verdict="", confirmed="", q="")

    @property
    def shows_all(self) -> bool:
        return not (self.wish.status or self.wish.confirmed)

    @property
    def to_review(self) -> int:
        return self.counts.get("look", 0)

    @property
    def judged(self) -> int:
        return sum(self.counts.get(status, 0) for status in JUDGED)

    @property
    def has_verdicts(self) -> bool:
        return self.judged > 0

    @property
    def acceptable(self) -> bool:
        """Whether there may be sure clips that nobody has confirmed yet."""
        return self.confirmed < self.judged and bool(self.counts.get("sure") or self.counts.get("tail"))

    @property
    def confirmations(self) -> list[dict[str, Any]]:
        """Two links, to what is confirmed and to what is not, once something is."""
        if not self.confirmed and not self.wish.confirmed:
            return []
        numbers = {"yes": self.confirmed, "no": self.judged - self.confirmed}
        return [
            {"word": word, "count": numbers[key], "chosen": key == self.wish.confirmed}
            | {"query": self.wish.query(confirmed="" if key == self.wish.confirmed else key)}
            for key, word in (("yes", "confirmed"), ("no", "not confirmed"))
        ]

    @property
    def previous_page(self) -> str:
        return self._query_of_page(self.page.number - 1) if self.page.has_previous() else ""

    @property
    def next_page(self) -> str:
        return self._query_of_page(self.page.number + 1) if self.page.has_next() else ""

    def _query_of_page(self, number: int) -> str:
        return self.wish.query(page=str(number)) or "page=1"

    @property
    def tabs(self) -> list[dict[str, Any]]:
        """One link for each status that some clip has: word, number, query, chosen."""
        return [
            {"word": word, "badge": badge, "count": self.counts[status], "chosen": status == self.wish.status}
            | {"query": self.wish.query(verdict="" if status == self.wish.status else status)}
            for status, (word, badge) in STATUSES.items()
            if self.counts.get(status) or status == self.wish.status
        ]


def read_board(project: Project, wish: Wish) -> Board:
    """The board as wished. Six queries, however many clips there are."""
    clips = Clip.objects.filter(project=project)
    counts, confirmed = counts_of(clips)
    if wish.search:
        clips = clips.filter(name__icontains=wish.search)
    least = Clap.objects.filter(scan__clip=OuterRef("pk"), scan__is_current=True).order_by("confidence")
    shown = with_scans(
        clips.annotate(
            seconds=F("duration_num") * 1.0 / F("duration_den"),
            least=Subquery(least.values("confidence")[:1]),
        )
    )
    if wish.status:
        shown = shown.filter(status=wish.status)  # type: ignore[misc]
    if wish.confirmed:
        mine = Q(standing_verdict__is_confirmed=True)
        shown = shown.filter(status__in=JUDGED)  # type: ignore[misc]
        shown = shown.filter(mine) if CONFIRMED[wish.confirmed] else shown.exclude(mine)
    page = Paginator(shown.order_by(*SORTS[wish.sort]), PAGE_SIZE).get_page(wish.page)
    return Board(wish, counts, page, confirmed)


def counts_of(clips: QuerySet[Clip]) -> tuple[dict[str, int], int]:
    """How many clips there are of each status, and how many of those with a verdict are confirmed."""
    confirmed = Count("pk", filter=Q(standing_verdict__is_confirmed=True))
    rows: Any = with_status(clips).order_by()  # Any: the types do not know its annotation
    rows = rows.values_list("status").annotate(number=Count("pk"), confirmed=confirmed)
    counted = {status: (number, done) for status, number, done in rows}
    counts = {status: counted.get(status, (0, 0))[0] for status in STATUSES}
    return counts, sum(done for status, (_, done) in counted.items() if status in JUDGED)
