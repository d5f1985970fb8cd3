"""The demo project, made once, however often it is interrupted."""

import pytest

from secondsticks.footage import demo, tasks
from secondsticks.footage.models import Clip, Project
from training.render import clips
from training.timecode import frame_count_of


@pytest.fixture
def rendered(monkeypatch, home):
    """Note what is rendered, and render nothing but a word."""
    rendered = []

    def render(spec, path, **more):
        rendered.append(spec)
        path.write_bytes(b"rendered")

    monkeypatch.setattr(clips, "render_clip", render)
    return rendered


def test_the_demo_is_made_once(db, rendered, django_capture_on_commit_callbacks):
    sent = []
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            demo.make(send_ingest=sent.append)
    project = Project.objects.get()
    assert project.sample
    assert [clip.name for clip in project.clips.all()] == list(demo.CLIPS)
    assert len(sent) == len(rendered) == 5
    assert {clip.origin for clip in sent} == {"demo"}
    assert all(clip.path.read_bytes() == b"rendered" for clip in sent)


def test_a_demo_that_was_interrupted_goes_on(db, rendered, monkeypatch):
    def interrupted(spec, path, **more):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    demo.make(send_ingest=lambda clip: None)
    for clip in Clip.objects.all()[3:]:
        clip.path.unlink()
        clip.delete()
    with monkeypatch.context() as patch:
        patch.setattr(clips, "render_clip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            demo.make(send_ingest=lambda clip: None)
    assert Clip.objects.count() == 3
    rendered.clear()
    demo.make(send_ingest=lambda clip: None)
    assert len(rendered) == 2
    assert [path.name for path in Project.objects.get().folder.rglob("*.*")] == ["source.mov"] * 5


def test_the_specs_are_ones_that_the_renderer_takes():
    specs = [clips.ClipSpec(size=demo.SIZE, **wanted) for wanted in demo.CLIPS.values()]
    assert len({spec.kind for spec in specs}) == 5
    for spec in specs:
        if spec.start_timecode:
            assert frame_count_of(spec.start_timecode, spec.rate, spec.drop_frame) > 0


def test_it_is_made_by_a_worker(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.make_demo, "send", lambda: sent.append("sent"))
    demo.enqueue()
    assert sent == ["sent"]
