"""Jobs of footage: read a clip, make it playable, render the demo, and bring back what was lost."""

from __future__ import annotations

import uuid

import dramatiq
from django.db.models import Q

from secondsticks import jobs
from secondsticks.footage import demo, discarded, leases, lost, reading, sound_reading, visits
from secondsticks.footage.models import Clip, ClipState, ProxyState, SoundFile, WatchedFolder
from secondsticks.footage.sound_files import SoundFileState
from secondsticks.footage.uploads import Arrived

TO_READ = Q(state__in=[ClipState.UPLOADED, ClipState.INGESTING])
TO_PROXY = Q(state=ClipState.READY, proxy_state__in=[ProxyState.QUEUED, ProxyState.MAKING])
SOUND_TO_READ = Q(state__in=[SoundFileState.UPLOADED, SoundFileState.READING])


@dramatiq.actor(queue_name=jobs.INGEST, max_retries=2, min_backoff=1_000, time_limit=jobs.HOUR)
def ingest(clip_uuid: str) -> None:
    """Read one clip. A message for a clip that is read, or that another worker reads, does nothing."""
    lease = leases.claim(Clip, clip_uuid, TO_READ, state=ClipState.INGESTING)
    if lease is not None:
        reading.read(lease, send_proxy=send_proxy)


@dramatiq.actor(queue_name=jobs.INGEST, max_retries=2, min_backoff=1_000, time_limit=8 * jobs.HOUR)
def read_sound_file(sound_file_uuid: str) -> None:
    """Read and listen to one sound file: days of many channels take long."""
    lease = leases.claim(SoundFile, sound_file_uuid, SOUND_TO_READ, state=SoundFileState.READING)
    if lease is not None:
        sound_reading.read(lease)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=2, min_backoff=1_000, time_limit=8 * jobs.HOUR)
def proxy(clip_uuid: str) -> None:
    """Make one clip playable in browsers."""
    lease = leases.claim(Clip, clip_uuid, TO_PROXY, proxy_state=ProxyState.MAKING)
    if lease is not None:
        reading.make_playable(lease)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=2, min_backoff=5_000, time_limit=jobs.HOUR)
def make_demo() -> None:
    """Render the clips of the demo project that are not there yet."""
    demo.make(send_ingest=send_ingest)


@dramatiq.actor(queue_name=jobs.INGEST, max_retries=0, priority=-1, time_limit=jobs.HOUR)
def visit(folder_uuid: str) -> None:
    """Look through one watched folder. Ahead of the clips: a card of thousands must not hide the next one."""
    lease = leases.claim(WatchedFolder, folder_uuid, visits.TO_VISIT)
    if lease is not None:
        visits.visit(lease, send_ingest=send_ingest)


def send_ingest(file: Arrived) -> None:
    _send(read_sound_file if isinstance(file, SoundFile) else ingest, file)


def send_proxy(clip: Clip) -> None:
    _send(proxy, clip)


def send_visit(watched: WatchedFolder) -> None:
    _send(visit, watched)


def _send(actor: dramatiq.Actor, file: Arrived | WatchedFolder) -> None:
    """Send with an id made from the file's: sent twice while it waits, it is still one message."""
    message = actor.message(str(file.uuid))
    actor.broker.enqueue(message.copy(message_id=str(uuid.uuid5(file.uuid, actor.actor_name))))


def sweep() -> None:
    """Called by the supervisor every few seconds: resend lost messages, end what uploads left behind."""
    for clip in lost.waiting(Clip, TO_READ):
        send_ingest(clip)
    for sound_file in lost.waiting(SoundFile, SOUND_TO_READ):
        send_ingest(sound_file)
    for clip in lost.waiting(Clip, TO_PROXY):
        send_proxy(clip)
    for watched in lost.waiting(WatchedFolder, visits.TO_VISIT):
        send_visit(watched)
    lost.finish_uploads(send_ingest=send_ingest)
    lost.remove_abandoned_uploads()
    discarded.sweep()
