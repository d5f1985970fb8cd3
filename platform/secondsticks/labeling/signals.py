"""What wakes labelling: a scan that is done."""

from __future__ import annotations

from django.db import transaction


def connect() -> None:
    from secondsticks.detection.signals import scan_done

    scan_done.connect(on_scan_done, dispatch_uid="labeling.doubts")


def on_scan_done(sender, scan, **kwargs) -> None:
    from secondsticks.labeling import doubts, tasks

    row = doubts.of_scan(scan)
    transaction.on_commit(lambda: tasks.send_doubts(row), robust=True)  # the sweep sends what was not sent
