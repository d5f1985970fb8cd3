"""The contact sheet of a project: the sharpest closed slate of each take, as a page and as a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.core.paginator import Page, Paginator
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from secondsticks.detection import pictures
from secondsticks.detection.models import Scan
from secondsticks.detection.rows import Row
from secondsticks.detection.statuses import with_scans
from secondsticks.footage.models import Clip, ClipState, Project

#: A sheet of more clips than this comes in parts.
PART = 400
ACROSS = 4
MARGIN, GAP, LINE = 10.0, 4.0, 4.2  # mm
WORDS = 3  # lines of text under a picture


@dataclass(frozen=True)
class Take:
    """One clip on the sheet."""

    row: Row

    @property
    def clip(self) -> Clip:
        return self.row.clip

    @property
    def slate(self) -> Scan | None:
        return self.row.slate

    @property
    def picture(self) -> Path | None:
        if self.slate is None:
            return None
        path = pictures.folder_of(self.slate) / self.slate.slate_picture
        return path if path.is_file() else None

    @property
    def claps(self) -> str:
        return ", ".join(shown.timecode or f"frame {shown.frame}" for shown in self.row.claps)

    @property
    def name(self) -> str:
        """The clip's, and scene and take where they are known."""
        written = self.row.on_slate.in_short
        return f"{self.clip.name} · {written}" if written else self.clip.name

    @property
    def said(self) -> str:
        by = self.row.standing.confirmed_by
        return f"{self.row.word}, confirmed by {by}" if by else self.row.word


def sheet(project: Project, part: str) -> Page:
    """One part of a project's takes, by name, which is the order they were shot in; see PART."""
    clips = with_scans(Clip.objects.filter(project=project, state=ClipState.READY)).order_by("name", "pk")
    return Paginator(clips, PART).get_page(part)


def takes(page: Page) -> list[Take]:
    return [Take(Row(clip)) for clip in page.object_list]


def as_pdf(project: Project, page: Page) -> bytes:
    """The sheet on A4, four takes across."""
    pdf = _Sheet(orientation="landscape", format="A4")
    pdf.title_text = plain(project.name)
    pdf.set_title(pdf.title_text)
    pdf.set_auto_page_break(False)
    pdf.add_page()
    wide = (pdf.w - 2 * MARGIN - (ACROSS - 1) * GAP) / ACROSS
    high = wide * 9 / 16
    tall = high + WORDS * LINE + GAP
    down = int((pdf.h - 2 * MARGIN - 2 * LINE) // tall)
    for number, take in enumerate(takes(page)):
        row, column = divmod(number % (ACROSS * down), ACROSS)
        if number and not number % (ACROSS * down):
            pdf.add_page()
        draw(pdf, take, MARGIN + column * (wide + GAP), MARGIN + 2 * LINE + row * tall, wide, high)
    return bytes(pdf.output())


class _Sheet(FPDF):
    title_text = ""

    def header(self) -> None:
        self.set_font("helvetica", "B", 11)
        self.set_xy(MARGIN, MARGIN - 2)
        self.cell(self.w - 2 * MARGIN, LINE, f"{self.title_text}: slates", new_x=XPos.LEFT, new_y=YPos.TOP)
        self.set_font("helvetica", "", 8)
        self.cell(self.w - 2 * MARGIN, LINE, f"page {self.page_no()}", align="R")


def draw(pdf: FPDF, take: Take, x: float, y: float, wide: float, high: float) -> None:
    """Draw one take with its left upper corner at x, y (mm)."""
    pdf.set_draw_color(170)
    pdf.rect(x, y, wide, high)
    if take.picture is not None:
        pdf.image(take.picture, x, y, wide, high, keep_aspect_ratio=True)
    else:
        pdf.set_font("helvetica", "", 8)
        pdf.set_xy(x, y + high / 2 - LINE / 2)
        pdf.cell(wide, LINE, "no picture of a closed slate", align="C")
    for number, (style, text) in enumerate([("B", take.name), ("", take.claps), ("", take.said)]):
        pdf.set_font("helvetica", style, 8)
        pdf.set_xy(x, y + high + 0.5 + number * LINE)
        pdf.cell(wide, LINE, fitting(pdf, plain(text), wide - 2))


def fitting(pdf: FPDF, text: str, wide: float) -> str:
    """The text, shortened in its middle until it fits."""
    if pdf.get_string_width(text) <= wide:
        return text
    keep = len(text)
    while keep > 4 and pdf.get_string_width(shortened(text, keep)) > wide:
        keep -= 1
    return shortened(text, keep)


def shortened(text: str, keep: int) -> str:
    return f"{text[: keep // 2]}...{text[-(keep - keep // 2) :]}"


def plain(text: str) -> str:
    """The text in the letters that a PDF has without a font of its own: Latin-1."""
    return text.encode("latin-1", "replace").decode("latin-1")
