"""Jobs of detection: scan a clip, and the sweep that brings lost scans back."""

from __future__ import annotations

from uuid import UUID, uuid5

import dramatiq

from secondsticks import jobs
from secondsticks.detection import publishing, scanning, scans, slate_reading, sound_linking
from secondsticks.detection.scanner import SCANNER


@dramatiq.actor(queue_name=jobs.DETECTION, max_retries=0, time_limit=float("inf"), notify_shutdown=True)
def scan_clip(scan_uuid: str) -> None:
    """Scan one clip. A message for a scan that somebody else works on, or that is done, does nothing."""
    with SCANNER.lock:
        claimed = scans.claim(scan_uuid)
        if claimed is not None:
            scanning.perform(claimed, SCANNER)


def send(scan_uuid: UUID) -> None:
    """Send a scan to the workers. Its message has the scan's own id: sending twice leaves one message."""
    message = scan_clip.message(str(scan_uuid))
    scan_clip.broker.enqueue(message.copy(message_id=str(scan_uuid)))


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=jobs.HOUR, notify_shutdown=True)
def read_slate(reading_uuid: str) -> None:
    """Read the text on one slate, in a child process of its own."""
    claimed = slate_reading.claim(reading_uuid)
    if claimed is not None:
        slate_reading.perform(claimed)


def send_reading(reading_uuid: UUID) -> None:
    """Send a reading to the workers: sending twice leaves one message."""
    message = read_slate.message(str(reading_uuid))
    read_slate.broker.enqueue(message.copy(message_id=str(reading_uuid)))


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=2, min_backoff=1_000, time_limit=8 * jobs.HOUR)
def link_sound(project_uuid: str) -> None:
    """Look for the recorders' files of a project's clips. A message with nothing due does nothing."""
    sound_linking.link_project(project_uuid)


def send_link(project_uuid: UUID) -> None:
    """Have a project's sound looked for: sent twice while it waits, it is still one message."""
    message = link_sound.message(str(project_uuid))
    link_sound.broker.enqueue(message.copy(message_id=str(uuid5(project_uuid, link_sound.actor_name))))


def sweep() -> None:
    """Called by the supervisor every few seconds."""
    scans.send_lost(send=send)
    slate_reading.send_lost(send=send_reading)
    sound_linking.send_lost(send=send_link)
    publishing.keep_published()
