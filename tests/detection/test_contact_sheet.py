"""The contact sheet, as a page and as a PDF."""

import re

import pytest
from django.urls import reverse
from PIL import Image

from secondsticks.detection import contact_sheet, pictures


@pytest.fixture(autouse=True)
def _signed_in(client, annotator):
    client.force_login(annotator)


@pytest.fixture
def shot(home, make_clip, make_scan):
    """Make clips with these names, each with the picture of its slate."""

    def make(*names):
        for number, name in enumerate(names):
            scan = make_scan(make_clip(name), claps=[100], slate_picture="slate.jpg", slate_frame=102)
            folder = pictures.folder_of(scan)
            folder.mkdir(parents=True)
            Image.new("RGB", (960, 540), (number * 8 % 256, 90, 90)).save(folder / "slate.jpg")

    return make


def pdf_of(client, project, part=""):
    response = client.get(reverse("detection:contact-sheet-pdf", args=[project.uuid]) + part)
    assert response["Content-Type"] == "application/pdf"
    return response.content


def test_each_take_has_its_slate_name_and_clap(client, project, shot, make_clip, make_scan):
    shot("b.mov", "a.mov")
    make_scan(make_clip("c.mov"), verdict="no slate")
    make_clip("refused.mov", state="refused")
    page = client.get(reverse("detection:contact-sheet", args=[project.uuid])).content.decode()
    assert re.findall(r'class="slate-name" href="[^"]*">([^<]*)<', page) == ["a.mov", "b.mov", "c.mov"]
    assert page.count("/slate.jpg") == 2 and page.count("no picture of a closed slate") == 1
    assert page.count("01:00:04:04") == 2


def test_the_picture_of_a_slate(client, project, shot):
    shot("a.mov")
    page = client.get(reverse("detection:contact-sheet", args=[project.uuid])).content.decode()
    address = re.search(r'"(/scans/[^"]*slate\.jpg)"', page).group(1)
    response = client.get(address)
    assert b"".join(response.streaming_content).startswith(b"\xff\xd8")


def test_an_empty_sheet(client, project):
    page = client.get(reverse("detection:contact-sheet", args=[project.uuid])).content.decode()
    assert "No slates yet" in page
    assert pdf_of(client, project).startswith(b"%PDF")


def test_the_pdf_holds_every_picture(client, project, shot, make_clip, make_scan):
    shot(*(f"A{number:03}.mov" for number in range(14)))
    make_scan(make_clip("Zürich 場面 — a very long name of a clip that does not fit under a picture.mov"))
    content = pdf_of(client, project)
    assert content.startswith(b"%PDF") and b"%%EOF" in content[-16:]
    assert content.count(b"/Subtype /Image") == 14
    assert len(re.findall(rb"/Type /Page\b", content)) == 2


def test_a_picture_that_is_gone_is_left_out(client, project, home, shot):
    shot("a.mov", "b.mov")
    next(home.rglob("slate.jpg")).unlink()
    assert pdf_of(client, project).count(b"/Subtype /Image") == 1


def test_a_large_project_comes_in_parts(client, project, shot, monkeypatch):
    monkeypatch.setattr(contact_sheet, "PART", 2)
    shot("a.mov", "b.mov", "c.mov")
    page = client.get(reverse("detection:contact-sheet", args=[project.uuid]) + "?part=2").content.decode()
    assert re.findall(r'class="slate-name" href="[^"]*">([^<]*)<', page) == ["c.mov"]
    assert "?part=1" in page and "3–3 of 3" in page
    assert pdf_of(client, project, "?part=2").count(b"/Subtype /Image") == 1
    assert (
        client.get(reverse("detection:contact-sheet", args=[project.uuid]) + "?part=junk").status_code == 200
    )
