"""Jobs of detection: scan a clip, and the sweep that brings lost scans back."""

from __future__ import annotations

from uuid import UUID

import dramatiq

from secondsticks import jobs
from secondsticks.detection import publishing, scanning, scans
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


def sweep() -> None:
    """Called by the supervisor every few seconds."""
    scans.send_lost(send=send)
    publishing.keep_published()
