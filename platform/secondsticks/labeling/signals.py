"""What wakes labelling: a scan that is done, a decision about a clip."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete


def connect() -> None:
    from secondsticks.detection.signals import decided, scan_done
    from secondsticks.labeling.label_studio.linking import on_link_deleted
    from secondsticks.labeling.models import LabelStudioLink

    scan_done.connect(on_scan_done, dispatch_uid="labeling.doubts")
    decided.connect(on_decided, dispatch_uid="labeling.derived")
    post_delete.connect(on_link_deleted, sender=LabelStudioLink, dispatch_uid="labeling.label-studio")


def on_scan_done(sender, scan, **kwargs) -> None:
    from secondsticks.labeling import doubts, tasks

    row = doubts.of_scan(scan)
    transaction.on_commit(lambda: tasks.send_doubts(row), robust=True)  # the sweep sends what was not sent


def on_decided(sender, clips, **kwargs) -> None:
    from secondsticks.labeling import derivations, tasks

    for row in derivations.ask_for(clips):
        transaction.on_commit(partial(tasks.send_derivation, row), robust=True)
