"""From a scan that is done to frames that wait: doubts, batches, pictures, and who does it once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
from django.db.models.functions import Now
from PIL import Image

from secondsticks.detection.models import Checkpoint, Clap, Detection, Scan
from secondsticks.detection.signals import scan_done
from secondsticks.labeling import doubts, filling, proposing, refilling, tasks, work
from secondsticks.labeling.models import Batch, ClipDoubts, LabelingSettings, QueuedFrame, Strategy
from secondsticks.labeling.work import WorkState
from secondsticks.store import store
from training import uncertainty
from training.store import StoreError, Trouble

av = pytest.importorskip("av")
pytestmark = pytest.mark.django_db
FRAMES = 48
BOX = {"x": 40.0, "y": 20.0, "w": 160.0, "h": 90.0}


@pytest.fixture
def make_scanned(home, make_clip):
    """Make a clip of 48 frames in greys that rise, whose scan is unsure about frames 20 to 24."""
    champion = Checkpoint.objects.create(name="day 0", sha256="cd" * 32)

    def make(name: str = "A001C001.mov"):
        clip = make_clip(name, content=b"", frames=FRAMES, width=320, height=180)
        with av.open(str(clip.path), "w") as container:
            stream = container.add_stream("mpeg4", rate=24)
            stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
            for number in range(FRAMES):
                grey = np.full((180, 320, 3), 40 + 4 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            container.mux(stream.encode(None))
        return clip, scan_of(clip, champion)

    return make


def scan_of(clip, checkpoint, doubtful=range(20, 25)) -> Scan:
    Scan.objects.filter(clip=clip).update(is_current=False)
    looked = range(10, 40)
    nothing = [[frame, frame / 24] for frame in (0, 5)]
    scan = Scan.objects.create(clip=clip, state="done", checkpoint=checkpoint, nothing_seen=nothing)
    for frame in looked:
        scores = {"open": 0.55, "closed": 0.5} if frame in doubtful else {"open": 0.97, "closed": 0.05}
        for state, score in scores.items():
            Detection.objects.create(
                scan=scan, frame=frame, pts=frame, seconds=frame / 24, state=state, score=score, **BOX
            )
    Clap.objects.create(
        scan=scan, frame=22, last_open=21, timecode="01:00:00:22", seconds=22 / 24, confidence=0.5
    )
    return scan


def think(clip) -> ClipDoubts:
    """What the job does for a clip."""
    row = doubts.of_scan(Scan.objects.get(clip=clip, is_current=True))
    doubts.work_out(work.claim(ClipDoubts, row.pk))
    row.refresh_from_db()
    return row


def fill(project, **fields) -> Batch:
    batch = refilling.begin_batch(project, **fields)
    filling.fill(work.claim(Batch, batch.pk))
    batch.refresh_from_db()
    return batch


def wishes(project, **fields) -> None:
    LabelingSettings.objects.update_or_create(project=project, defaults=fields)


def test_our_strategies_are_those_of_training():
    assert {one.value for one in Strategy} == {one.value for one in uncertainty.Strategy}


def test_doubts_say_which_frames_and_why(make_scanned):
    clip, _ = make_scanned()
    row = think(clip)
    assert (row.state, row.attempt) == (WorkState.DONE, 1)
    best = row.worths[0]
    assert best["frame"] in range(20, 25)
    assert any("open" in reason for reason in best["reasons"])
    assert set(row.hashes) <= {str(worth["frame"]) for worth in row.worths} and row.hashes


def test_a_batch_brings_frames_with_their_pictures_and_proposals(make_scanned, project):
    clip, scan = make_scanned()
    think(clip)
    batch = fill(project)
    assert (batch.state, batch.number) == (WorkState.DONE, 1)
    first = QueuedFrame.objects.order_by("rank").first()
    assert (first.state, first.why, first.batch, first.checkpoint) == (
        "waiting",
        "uncertain",
        1,
        scan.checkpoint,
    )
    assert first.frame in range(20, 25) and first.timecode == clip.timecode_at(first.frame)
    assert first.proposals == [{**BOX, "state": "open", "score": 0.55}]
    assert (first.width, first.height, first.pts) == (320, 180, first.frame * 512)
    for frame in QueuedFrame.objects.filter(state="waiting").select_related("clip"):
        content = store().get(frame.picture_key)
        assert sha256(content).hexdigest() == frame.picture_sha256
        picture = Image.open(BytesIO(content))
        assert picture.size == (320, 180)
        assert np.asarray(picture).mean() == pytest.approx(40 + 4 * frame.frame, abs=4)


def test_frames_by_chance_keep_to_their_share(make_scanned, project):
    wishes(project, batch_size=20, random_share=0.5)
    for number in range(3):
        think(make_scanned(f"{number}.mov")[0])
    chosen = [one["why"] for one in fill(project).chosen]
    assert 0 < chosen.count("random") <= 6, "two of each clip are in doubt"
    assert chosen.count("uncertain") > 0


def test_where_nothing_is_in_doubt_some_are_drawn_by_chance(make_scanned, project):
    wishes(project, batch_size=20, random_share=0.2)
    clip, _ = make_scanned()
    think(clip)
    ClipDoubts.objects.update(worths=[])
    assert [one["why"] for one in fill(project).chosen] == ["random"] * 4


def test_second_opinions_are_wanted_of_a_share(make_scanned, project):
    wishes(project, second_opinion_share=1, second_opinions=3)
    clip, _ = make_scanned()
    think(clip)
    fill(project)
    assert set(QueuedFrame.objects.values_list("opinions", flat=True)) == {3}


def test_a_batch_done_twice_is_the_same_batch(make_scanned, project):
    clip, _ = make_scanned()
    think(clip)
    batch = fill(project)
    before = list(QueuedFrame.objects.order_by("pk").values())
    Batch.objects.filter(pk=batch.pk).update(state=WorkState.WAITING)
    filling.fill(work.claim(Batch, batch.pk))
    assert list(QueuedFrame.objects.order_by("pk").values()) == before


def test_the_next_batch_takes_none_that_wait_or_are_answered(make_scanned, project):
    wishes(project, batch_size=6, random_share=0.5)
    clip, _ = make_scanned()
    think(clip)
    fill(project)
    first = set(QueuedFrame.objects.values_list("frame", flat=True))
    fill(project)
    frames = QueuedFrame.objects.filter(batch=2)
    assert frames and not first & set(frames.values_list("frame", flat=True))
    assert frames.order_by("rank").first().rank >= 2


def test_a_batch_that_replaces_withdraws_what_nobody_has_touched(make_scanned, project, annotator):
    wishes(project, batch_size=4, random_share=0)
    clip, scan = make_scanned()
    think(clip)
    fill(project)
    old = list(QueuedFrame.objects.order_by("rank"))
    assert len(old) >= 2
    until = Now() + timedelta(minutes=5)
    QueuedFrame.objects.filter(pk=old[0].pk).update(leased_to=annotator, leased_until=until)
    scan_of(clip, scan.checkpoint, doubtful=range(30, 35))
    think(clip)
    fill(project, replaces=True)
    states = {one.pk: QueuedFrame.objects.get(pk=one.pk) for one in old}
    assert states[old[0].pk].state == "waiting", "somebody looks at it"
    assert {one.state for pk, one in states.items() if pk != old[0].pk and one.batch == 1} <= {"withdrawn"}
    assert QueuedFrame.objects.filter(batch=2, state="waiting").exists()


def test_a_damaged_frame_is_never_asked_about_and_does_not_stop_the_rest(make_scanned, project, monkeypatch):
    wishes(project, random_share=0)
    clip, _ = make_scanned()
    think(clip)
    real = filling.pictures_of

    def damaged(*args):
        for place, (one, frame) in enumerate(real(*args)):
            yield one, frame if place else None

    monkeypatch.setattr(filling, "pictures_of", damaged)
    fill(project)
    states = list(QueuedFrame.objects.order_by("frame").values_list("state", flat=True))
    assert states[0] == "unreadable" and set(states[1:]) <= {"waiting"}
    monkeypatch.setattr(filling, "pictures_of", real)
    lost = QueuedFrame.objects.get(state="unreadable").frame
    fill(project)
    assert QueuedFrame.objects.get(frame=lost).state == "unreadable"


def test_a_clip_that_cannot_be_opened_waits_for_its_next_scan(make_scanned, project):
    clip, scan = make_scanned()
    other, _ = make_scanned("B001C001.mov")
    think(clip), think(other)
    clip.path.unlink()
    assert fill(project).state == WorkState.DONE
    assert set(QueuedFrame.objects.values_list("clip", flat=True)) == {other.pk}
    gone = ClipDoubts.objects.get(clip=clip)
    assert gone.state == WorkState.FAILED and gone.error
    assert doubts.of_scan(scan).state == WorkState.WAITING


def test_a_store_that_is_away_puts_a_batch_off_and_says_so(make_scanned, project, monkeypatch):
    clip, _ = make_scanned()
    think(clip)

    def away():
        raise StoreError("The store does not answer.", Trouble.UNREACHABLE)

    monkeypatch.setattr(filling, "store", away)
    batch = refilling.begin_batch(project)
    for state in (WorkState.WAITING, WorkState.WAITING, WorkState.FAILED):
        filling.fill(work.claim(Batch, batch.pk))
        batch.refresh_from_db()
        assert (batch.state, batch.error) == (state, "The store does not answer.")
    assert not refilling.is_due(project)
    Batch.objects.update(ended_at=Now() - 2 * refilling.PAUSE)
    assert refilling.is_due(project)


def test_who_was_taken_over_writes_nothing(make_scanned, project):
    clip, _ = make_scanned()
    think(clip)
    batch = work.claim(Batch, refilling.begin_batch(project).pk)
    assert work.claim(Batch, batch.pk) is None
    Batch.objects.update(leased_until=Now() - timedelta(seconds=1))
    other = work.claim(Batch, batch.pk)
    assert (other.attempt, other.failures) == (2, 1)
    filling.fill(batch)
    assert not QueuedFrame.objects.exists()
    filling.fill(other)
    assert QueuedFrame.objects.exists()


def test_doubts_about_an_older_scan_are_void(make_scanned):
    clip, scan = make_scanned()
    row = doubts.of_scan(scan)
    old = work.claim(ClipDoubts, row.pk)
    newer = scan_of(clip, scan.checkpoint)
    doubts.of_scan(newer)
    doubts.work_out(old)
    row.refresh_from_db()
    assert (row.state, row.scan, row.worths) == (WorkState.WAITING, newer, [])


def test_work_is_given_up_after_workers_died_over_it(make_scanned, project):
    clip, _ = make_scanned()
    row = doubts.of_scan(Scan.objects.get(clip=clip))
    for _ in range(work.MOST_FAILURES):
        assert work.claim(ClipDoubts, row.pk)
        ClipDoubts.objects.update(leased_until=Now() - timedelta(seconds=1), sent_at=None)
        sent = []
        work.send_lost(ClipDoubts, send=sent.append, given_up="given up")
    row.refresh_from_db()
    assert (row.state, row.error, sent) == (WorkState.FAILED, "given up", [])


def test_the_queue_is_refilled_when_it_runs_low(make_scanned, project):
    wishes(project, batch_size=6, random_share=0.5)
    clip, _ = make_scanned()
    sent = []
    refilling.refill(send=sent.append)
    assert sent == [], "nothing is known of any clip"
    think(clip)
    refilling.refill(send=sent.append)
    refilling.refill(send=sent.append)
    assert [batch.number for batch in sent] == [1], "one at a time"
    filling.fill(work.claim(Batch, sent[0].pk))
    refilling.refill(send=sent.append)
    assert len(sent) == 1, "enough wait"
    QueuedFrame.objects.update(state="labelled")
    refilling.refill(send=sent.append)
    assert len(sent) == 2


def test_frames_that_wait_for_others_are_no_work_for_who_has_answered(make_scanned, project, annotator):
    wishes(project, second_opinion_share=1)
    clip, _ = make_scanned()
    think(clip)
    wishes(project, batch_size=2)
    fill(project)
    assert not refilling.is_due(project)
    QueuedFrame.objects.update(people=[annotator.pk], version=1)
    assert refilling.is_due(project)


def test_while_clips_are_scanned_a_batch_comes_only_to_an_empty_queue(make_scanned, make_clip, project):
    wishes(project, batch_size=20)
    clip, _ = make_scanned()
    think(clip)
    Scan.objects.create(clip=make_clip("later.mov"), state="queued")
    assert refilling.is_due(project)
    fill(project)
    assert not refilling.is_due(project)
    Scan.objects.filter(state="queued").update(state="failed")
    assert refilling.is_due(project)


def test_where_nothing_is_left_no_batch_follows_until_something_is_new(make_scanned, project):
    wishes(project, random_share=0)
    clip, _ = make_scanned()
    think(clip)
    for _ in range(100):
        if not fill(project).chosen:
            break
        QueuedFrame.objects.update(state="labelled", version=1)
    assert not refilling.is_due(project)
    think(clip)
    assert refilling.is_due(project)


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_is_done_fills_the_queue_through_the_workers(
    make_scanned, run_jobs, django_capture_on_commit_callbacks
):
    from django.db import transaction

    clip, scan = make_scanned()
    with transaction.atomic():
        scan_done.send(Scan, scan=scan)
    run_jobs()
    assert ClipDoubts.objects.get(clip=clip).state == WorkState.DONE
    refilling.refill(send=tasks.send_batch)
    run_jobs()
    assert QueuedFrame.objects.filter(state="waiting").exists()


def test_the_sweep_finds_scans_from_before(make_scanned):
    make_scanned()
    (scan,) = doubts.without_doubts()
    doubts.of_scan(scan)
    assert not doubts.without_doubts()


class Seer:
    """A scanner that sees one closed slate in every picture, or refuses."""

    def __init__(self, events) -> None:
        self.events = events

    def detect(self, path, **options):
        assert Image.open(path).size == (320, 180)
        yield None
        yield from self.events


SEEN = [
    {"event": "ready"},
    {
        "event": "result",
        "result": {"detections": [{"bbox": [1, 2, 30, 40], "state": "closed", "score": 0.8}]},
    },
]


def test_the_champion_proposes_for_frames_that_it_has_not_seen(make_scanned, project, monkeypatch):
    wishes(project, random_share=0.5)
    clip, scan = make_scanned()
    monkeypatch.setattr(proposing.champions, "champion_for", lambda project: scan.checkpoint)
    think(clip)
    fill(project)
    QueuedFrame.objects.filter(why="random").update(checkpoint=None)
    frames = QueuedFrame.objects.filter(why="random")
    assert frames and set(proposing.to_propose(project, scan.checkpoint)) == set(frames)
    proposing.propose(project, Seer(SEEN))
    closed = {"x": 1.0, "y": 2.0, "w": 30.0, "h": 40.0, "state": "closed", "score": 0.8}
    assert all((one.proposals, one.checkpoint) == ([closed], scan.checkpoint) for one in frames.all())
    assert not proposing.to_propose(project, scan.checkpoint)


def test_a_picture_that_the_scanner_refuses_has_no_proposals_and_is_not_tried_again(
    make_scanned, project, monkeypatch
):
    clip, scan = make_scanned()
    monkeypatch.setattr(proposing.champions, "champion_for", lambda project: scan.checkpoint)
    think(clip)
    fill(project)
    QueuedFrame.objects.update(checkpoint=None)
    proposing.propose(project, Seer([]))
    assert not proposing.to_propose(project, scan.checkpoint)
    assert all(one.proposals == [] for one in QueuedFrame.objects.all())


def test_a_new_champion_looks_at_all_clips_again_and_the_queue_is_chosen_anew(make_scanned, project):
    clip, _ = make_scanned()
    other, _ = make_scanned("B001C001.mov")
    think(clip), think(other)
    fill(project)
    Checkpoint.objects.filter(is_champion=True).update(is_champion=False)
    champion = Checkpoint.objects.create(name="day 1", sha256="ef" * 32, is_champion=True)
    refilling.rescore(project)
    scans, batches = [], []

    def go_on() -> None:
        refilling.go_on_rescoring(send_scan=scans.append, send_batch=batches.append)

    go_on()
    go_on()
    quiet = Scan.objects.filter(is_quiet=True)
    assert quiet.count() == 2 and batches == []
    for one in list(quiet):
        Scan.objects.filter(clip=one.clip, is_current=True).update(is_current=False)
        Scan.objects.filter(pk=one.pk).update(state="done", is_current=True, checkpoint=champion)
        think(one.clip)
    go_on()
    go_on()
    assert [batch.replaces for batch in batches] == [True]
    assert LabelingSettings.objects.get(project=project).rescore_asked_at is None


def test_a_clip_whose_new_scan_fails_does_not_hold_up_the_others(make_scanned, project):
    make_scanned()
    Checkpoint.objects.filter(is_champion=True).update(is_champion=False)
    Checkpoint.objects.create(name="day 1", sha256="ef" * 32, is_champion=True)
    refilling.rescore(project)
    batches = []
    refilling.go_on_rescoring(send_scan=lambda uuid: None, send_batch=batches.append)
    Scan.objects.filter(is_quiet=True).update(state="failed")
    refilling.go_on_rescoring(send_scan=lambda uuid: None, send_batch=batches.append)
    assert len(batches) == 1
