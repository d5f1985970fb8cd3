"""The project board: its clips with what their scans say, counted, filtered, searched, sorted and paged."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, FilteredRelation, Prefetch, Q, QuerySet, Value, When
from django.db.models.expressions import OrderBy

from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip, ClipState, Project

PAGE_SIZE = 50

#: What a clip can be on the board, in the order of the counts: key -> word, and its badge's class.
STATUSES = {
    "sure": ("sure", "sure"),
    "look": ("look", "look"),
    "mos": ("MOS", "mos"),
    "no slate": ("no slate", "no-slate"),
    "working": ("working", "working"),
    "failed": ("failed", "refused"),
    "refused": ("refused", "refused"),
    "cancelled": ("cancelled", "no-slate"),
}
SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "added": ("-created_at", "-pk"),
    "duration": ("seconds", "pk"),
    "-duration": (F("seconds").desc(nulls_last=True), "pk"),
}
SORT_WORDS = {
    "name": "name A–Z",
    "-name": "name Z–A",
    "added": "newest first",
    "-duration": "longest first",
    "duration": "shortest first",
}

_current = Prefetch(
    "scans",
    queryset=Scan.objects.filter(is_current=True).select_related("checkpoint").prefetch_related("claps"),
    to_attr="current_scans",
)


def rate_name(rate: Fraction) -> str:
    """A frame rate as people say it: 23.976, 25, 29.97."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def with_scans(clips: QuerySet[Clip]) -> QuerySet[Clip]:
    """Clips with `status`, and their current scan and its claps in two more queries for all of them."""
    return with_status(clips).prefetch_related(_current)


def with_status(clips: QuerySet[Clip]) -> QuerySet[Clip]:
    """Clips with `status`, a key of STATUSES."""
    failed_states = (ScanState.FAILED, ScanState.CANCELLED)
    return clips.annotate(
        current=FilteredRelation("scans", condition=Q(scans__is_current=True)),
        status=Case(
            When(state=ClipState.REFUSED, then=Value("refused")),
            When(current__state=ScanState.DONE, then=F("current__verdict")),
            When(current__state__in=failed_states, then=F("current__state")),
            default=Value("working"),
        ),
    )


def scan_of(clip: Clip) -> Scan | None:
    """The current scan of a clip from `with_scans`."""
    scans: list[Scan] = clip.current_scans  # type: ignore[attr-defined]  # from _current
    return scans[0] if scans else None


def status_of(clip: Clip) -> str:
    """The key of STATUSES of a clip from `with_status`."""
    return clip.status  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Row:
    """One clip on the board."""

    clip: Clip

    @property
    def scan(self) -> Scan | None:
        return scan_of(self.clip)

    @property
    def word(self) -> str:
        return STATUSES[status_of(self.clip)][0]

    @property
    def badge(self) -> str:
        return STATUSES[status_of(self.clip)][1]

    @property
    def stage(self) -> str:
        return stage_of(self.clip, self.scan)

    @property
    def waits(self) -> bool:
        return self.stage.startswith("waiting")

    @property
    def reason(self) -> str:
        return reason_of(self.clip, self.scan)

    @property
    def claps(self) -> list[Any]:
        return list(self.scan.claps.all()) if self.scan else []

    @property
    def rate(self) -> str:
        return rate_name(self.clip.rate) if self.clip.frames else ""

    @property
    def duration(self) -> str:
        return duration_name(self.clip.duration) if self.clip.frames else ""


def duration_name(duration: Fraction) -> str:
    """Seconds as people read them: 4.2 s, 1:05, 1:02:03."""
    whole = int(duration)
    if whole < 60:
        return f"{float(duration):.1f} s"
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def stage_of(clip: Clip, scan: Scan | None) -> str:
    """What is being done to a clip just now, in words; empty when nothing is."""
    if clip.state in (ClipState.UPLOADED, ClipState.INGESTING):
        return "waiting to be read" if clip.state == ClipState.UPLOADED else "reading the file"
    if clip.state == ClipState.REFUSED or (scan is not None and not scan.is_under_way):
        return ""
    if scan is None or scan.state == ScanState.QUEUED:
        return "waiting for the scan"
    return {"coarse": "looking for slates", "dense": "looking frame by frame"}.get(
        scan.stage, "starting the scan"
    )


def reason_of(clip: Clip, scan: Scan | None) -> str:
    """Why a clip has the status it has, in words."""
    if clip.state == ClipState.REFUSED:
        return clip.message
    if scan is None:
        return ""
    reasons = {
        ScanState.DONE: scan.reason,
        ScanState.FAILED: scan.error,
        ScanState.CANCELLED: "The scan was cancelled.",
    }
    return reasons.get(ScanState(scan.state), "")


@dataclass(frozen=True)
class Wish:
    """What a person asked the board for. Anything we don't know is as if it had not been said."""

    status: str = ""
    sort: str = "name"
    search: str = ""
    page: str = "1"

    @classmethod
    def from_query(cls, query) -> Wish:
        status, sort = query.get("verdict", ""), query.get("sort", "")
        return cls(
            status=status if status in STATUSES else "",
            sort=sort if sort in SORTS else "name",
            search=query.get("q", "").replace("\x00", "").strip()[:200],
            page=query.get("page", "1"),
        )

    def query(self, **changes: str) -> str:
        """The query string of this wish with some of it changed; changes lead back to page 1."""
        page = "1" if changes else self.page
        said = {"verdict": self.status, "sort": self.sort, "q": self.search, "page": page, **changes}
        defaults = {"sort": "name", "page": "1"}
        return urlencode(
            {name: value for name, value in said.items() if value and value != defaults.get(name)}
        )


@dataclass(frozen=True)
class Board:
    wish: Wish
    counts: dict[str, int]
    page: Page

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
        return self.wish.query(verdict="", q="")

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
    """The board as wished. Five queries, however many clips there are."""
    clips = Clip.objects.filter(project=project)
    counted = with_status(clips).order_by().values_list("status").annotate(number=Count("pk"))  # type: ignore[misc]
    counts = dict.fromkeys(STATUSES, 0) | dict(counted)
    if wish.search:
        clips = clips.filter(name__icontains=wish.search)
    shown = with_scans(clips.annotate(seconds=F("duration_num") * 1.0 / F("duration_den")))
    if wish.status:
        shown = shown.filter(status=wish.status)  # type: ignore[misc]
    return Board(wish, counts, Paginator(shown.order_by(*SORTS[wish.sort]), PAGE_SIZE).get_page(wish.page))
