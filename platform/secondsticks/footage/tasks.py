"""Jobs of footage: read a clip, make it playable, render the demo, and bring back what was lost."""

from __future__ import annotations

import uuid

import dramatiq
from django.db.models import Q

from secondsticks import jobs
from secondsticks.footage import demo, leases, lost, reading
from secondsticks.footage.models import Clip, ClipState, ProxyState

TO_READ = Q(state__in=[ClipState.UPLOADED, ClipState.INGESTING])
TO_PROXY = Q(state=ClipState.READY, proxy_state__in=[ProxyState.QUEUED, ProxyState.MAKING])


@dramatiq.actor(queue_name=jobs.INGEST, max_retries=2, min_backoff=1_000, time_limit=jobs.HOUR)
def ingest(clip_uuid: str) -> None:
    """Read one clip. A message for a clip that is read, or that another worker reads, does nothing."""
    lease = leases.claim(clip_uuid, TO_READ, state=ClipState.INGESTING)
    if lease is not None:
        reading.read(lease, send_proxy=send_proxy)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=2, min_backoff=1_000, time_limit=8 * jobs.HOUR)
def proxy(clip_uuid: str) -> None:
    """Make one clip playable in browsers."""
    lease = leases.claim(clip_uuid, TO_PROXY, proxy_state=ProxyState.MAKING)
    if lease is not None:
        reading.make_playable(lease)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=2, min_backoff=5_000, time_limit=jobs.HOUR)
def make_demo() -> None:
    """Render the clips of the demo project that are not there yet."""
    demo.make(send_ingest=send_ingest)


def send_ingest(clip: Clip) -> None:
    _send(ingest, clip)


def send_proxy(clip: Clip) -> None:
    _send(proxy, clip)


def _send(actor: dramatiq.Actor, clip: Clip) -> None:
    """Send with an id made from the clip: sent twice while it waits, it is still one message."""
    message = actor.message(str(clip.uuid))
    actor.broker.enqueue(message.copy(message_id=str(uuid.uuid5(clip.uuid, actor.actor_name))))


def sweep() -> None:
    """Called by the supervisor every few seconds: resend lost messages, end what uploads left behind."""
    for clip in lost.clips(TO_READ):
        send_ingest(clip)
    for clip in lost.clips(TO_PROXY):
        send_proxy(clip)
    lost.finish_uploads(send_ingest=send_ingest)
    lost.remove_abandoned_uploads()
