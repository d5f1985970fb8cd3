"""The bytes of clips, in ranges."""

import psutil
import pytest
from django.urls import reverse

from secondsticks.footage import media
from secondsticks.footage.models import ProxyState

CONTENT = bytes(range(256)) * 40  # 10240 bytes


@pytest.fixture
def clip(home, make_clip):
    return make_clip("A001 “x”.mp4", location="footage/source.mp4", content=CONTENT)


@pytest.fixture
def get(client, annotator, clip):
    client.force_login(annotator)
    address = reverse("footage:clip-video", args=[clip.uuid])

    def get(method="get", **headers):
        return getattr(client, method)(address, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return get


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_without_a_range_all_of_it_comes(get):
    response = get()
    assert (response.status_code, response["Content-Length"], body(response)) == (200, "10240", CONTENT)
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Type"] == "video/mp4"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, 10239),
        ("bytes=0-0", 0, 0),
        ("bytes=100-299", 100, 299),
        ("bytes=10239-", 10239, 10239),
        ("bytes=10000-99999", 10000, 10239),
        ("bytes=-1", 10239, 10239),
        ("bytes=-500", 9740, 10239),
        ("bytes=-99999", 0, 10239),
        ("Bytes = 5-6", 5, 6),
    ],
)
def test_a_range_comes_as_206(get, wanted, first, last):
    response = get(Range=wanted)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/10240"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.parametrize("wanted", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_is_416(get, wanted):
    response = get(Range=wanted)
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */10240")


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,5-6", "bytes=6-5", "bytes=", "bytes=-", "bytes=a-b", "frames=0-1", "bytes=0-1x", "bytes=٠-١"],
)
def test_what_is_no_single_range_gets_the_whole_file(get, wanted):
    response = get(Range=wanted.encode().decode("latin-1"))
    assert (response.status_code, body(response)) == (200, CONTENT)


def test_head_says_what_get_would_without_the_bytes(get):
    response = get("head")
    assert (response.status_code, response["Content-Length"], response.content) == (200, "10240", b"")
    assert get("head", Range="bytes=5-9")["Content-Range"] == "bytes 5-9/10240"


def test_a_range_of_an_older_version_gets_the_whole_new_file(get, clip):
    tag = get()["ETag"]
    assert get(Range="bytes=0-1", If_Range=tag).status_code == 206
    clip.path.write_bytes(CONTENT + b"!")
    response = get(Range="bytes=0-1", If_Range=tag)
    assert (response.status_code, response["Content-Length"]) == (200, "10241")


def test_what_the_browser_has_is_not_sent_again(get):
    response = get(If_None_Match=get()["ETag"])
    assert (response.status_code, response.content) == (304, b"")


def test_an_empty_file_is_served(get, clip):
    clip.path.write_bytes(b"")
    assert body(get()) == b""
    assert get(Range="bytes=0-").status_code == 416


def test_the_file_is_closed_when_the_browser_goes_away(rf, clip):
    response = media.serve(rf.get("/"), clip.path, name="a.mp4")
    next(iter(response.streaming_content))
    assert str(clip.path) in open_files()
    response.close()
    assert str(clip.path) not in open_files()


@pytest.mark.parametrize("headers", [{"Range": "bytes=99999-"}, {"If-None-Match": "the same"}])
def test_the_file_is_closed_when_nothing_is_sent(rf, clip, headers):
    if "If-None-Match" in headers:
        headers = {"If-None-Match": media.serve(rf.head("/"), clip.path, name="a.mp4")["ETag"]}
    media.serve(rf.get("/", headers=headers), clip.path, name="a.mp4")
    media.serve(rf.head("/"), clip.path, name="a.mp4")
    assert str(clip.path) not in open_files()


def open_files() -> set[str]:
    return {file.path for file in psutil.Process().open_files()}


def test_a_file_that_is_gone_is_404(get, clip):
    clip.path.unlink()
    assert get().status_code == 404


def test_the_original_is_a_download_without_a_type(client, annotator, clip):
    client.force_login(annotator)
    response = client.get(reverse("footage:clip-source", args=[clip.uuid]))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''A001%20%E2%80%9Cx")


def test_a_page_named_like_a_video_is_never_shown_as_a_page(client, annotator, make_clip, home):
    clip = make_clip("x.html", location="footage/source.bin", content=b"<script>alert(1)</script>")
    client.force_login(annotator)
    for name in ("clip-video", "clip-source"):
        response = client.get(reverse(f"footage:{name}", args=[clip.uuid]))
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment")


def test_a_clip_that_browsers_cannot_play_has_no_video_until_its_proxy_is_there(get, clip):
    clip.proxy_state = ProxyState.MAKING
    clip.save()
    assert get().status_code == 404
    clip.folder.mkdir(parents=True)
    clip.proxy_path.write_bytes(b"proxy")
    clip.proxy_state = ProxyState.READY
    clip.save()
    assert body(get()) == b"proxy"


def test_nginx_sends_the_bytes_where_it_is_set_up(get, settings, clip):
    settings.SECONDSTICKS_X_ACCEL = "/internal"
    response = get(Range="bytes=0-1")
    assert response["X-Accel-Redirect"] == f"/internal{clip.path}"
    assert not response.content


@pytest.mark.parametrize(
    "way",
    [
        *(
            "../secret.txt",
            "..%2fsecret.txt",
            "%2e%2e/secret.txt",
            "%2e%2e%2fsecret.txt",
            "%252e%252e%252fsecret.txt",
        ),
        *(
            "..%5csecret.txt",
            "..\\secret.txt",
            "....//secret.txt",
            "..;/secret.txt",
            "/secret.txt",
            "%00secret.txt",
        ),
        *(
            "%c0%ae%c0%ae/secret.txt",
            "..%c0%afsecret.txt",
            "%uff0e%uff0e/secret.txt",
            "secret.txt%23",
            "~/secret.txt",
        ),
    ],
)
def test_no_way_of_writing_an_address_leads_to_other_files(client, annotator, clip, home, way):
    (home / "secret.txt").write_text("a secret")
    (home / "footage" / "secret.txt").write_text("a secret")
    client.force_login(annotator)
    for address in (
        f"/clips/{way}/video/",
        f"/clips/{clip.uuid}/{way}",
        f"/clips/{clip.uuid}/source/{way}",
        f"/{way}",
    ):
        response = client.get(address, follow=True)
        assert b"a secret" not in (body(response) if response.streaming else response.content)
