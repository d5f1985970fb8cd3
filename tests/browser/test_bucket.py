"""Footage in a bucket, in a real browser: sent in parts, gone on with after a reload, played, sought in."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.browser.conftest import Product, started
from tests.browser.test_newcomer import new_project, sign_in
from tests.plugin import HOME
from tests.s3_server import S3Server, refused
from training.render.clips import ClipSpec, render_clip

pytestmark = pytest.mark.browser
READ_WAIT = 600_000  # on a busy machine; a limit on waiting, not a measurement
LARGE = 40 << 20  # three parts


@pytest.fixture(scope="module")
def s3(_one_server: S3Server) -> S3Server:
    import boto3

    _one_server.empty()
    client = boto3.client(
        "s3", endpoint_url=_one_server.url, region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    client.create_bucket(Bucket="footage")
    return _one_server


@pytest.fixture(scope="module")
def product(s3: S3Server) -> Iterator[Product]:
    aws = {"AWS_ENDPOINT_URL_S3": s3.url, "AWS_DEFAULT_REGION": "us-east-1"}
    aws |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    home = HOME / "product in a bucket"
    with started(home, SECONDSTICKS_FOOTAGE_STORE="s3://footage/here", **aws) as product:
        yield product


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 40 MB: a small one, and a box that players skip."""
    path = tmp_path_factory.mktemp("footage") / "A001_large.mp4"
    spec = ClipSpec(kind="head", rate=Fraction(25), seed=21, seconds=6, size=(640, 360), audio=False)
    render_clip(spec, path)
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", LARGE, b"free") + bytes(LARGE - 8))
    return path


def part_of(environ) -> str:
    """Which part a browser puts; empty for every other request."""
    query = dict(pair.partition("=")[::2] for pair in environ["QUERY_STRING"].split("&"))
    return query.get("partNumber", "") if environ["REQUEST_METHOD"] == "PUT" else ""


def test_an_upload_goes_on_after_a_reload_and_plays_from_the_bucket(page, product, s3, large):
    sign_in(page, product)
    new_project(page, "In a bucket")
    gate, put = threading.Event(), []

    def hold(environ):
        """Let the first part in, and have the others wait."""
        if part := part_of(environ):
            put.append(part)
            if part != "1":
                gate.wait()
                return refused("500 No", "InternalError")
        return None

    s3.answer = hold
    with page.expect_response(lambda answer: "partNumber=1&" in answer.url and answer.ok):
        page.locator("#upload-files").set_input_files(large)
    page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    page.reload()
    gate.set()
    s3.answer = lambda environ: (part_of(environ) and put.append(part_of(environ))) or None
    page.locator("#upload-files").set_input_files(large)
    page.locator(".uploads .status", has_text="Uploaded").wait_for()
    assert put.count("1") == 1
    assert {"2", "3"} <= set(put)

    row = page.locator(".clip-table tr", has_text=large.name)
    row.locator(".badge.sure, .badge.look, .badge.no-slate").first.wait_for(timeout=READ_WAIT)
    assert not list((product.home / "footage").rglob("source.*"))
    row.get_by_role("link", name=large.name).click()
    page.locator("#video[data-shown]").wait_for()
    assert page.evaluate("document.getElementById('video').currentSrc").startswith(product.url)
    seeks(page, 100)

    # The address that was signed has run out: the page gets itself a new one.
    asked = len([one for one in s3.asked if one.startswith("GET")])
    answers = [refused("403 No", "AccessDenied")]
    s3.answer = lambda environ: answers.pop() if environ["REQUEST_METHOD"] == "GET" and answers else None
    page.evaluate("document.getElementById('video').load()")
    page.wait_for_timeout(500)  # a person would look at a stopped picture, too
    seeks(page, 60)
    assert not answers
    assert len([one for one in s3.asked if one.startswith("GET")]) > asked


def seeks(page, frame: int) -> None:
    page.evaluate("frame => window.player.seek(frame)", frame)
    page.locator(f"#video[data-shown='{frame}']").wait_for()
