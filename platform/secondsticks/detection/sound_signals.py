"""What has the sound of clips looked for: scans, decisions, sound files that come and go."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import Signal


def connect(scan_done: Signal) -> None:
    from secondsticks.footage.signals import sound_file_read, sound_file_removed

    scan_done.connect(on_scan_done, dispatch_uid="detection.link")
    post_save.connect(on_decision, sender="detection.Decision", dispatch_uid="detection.link")
    sound_file_read.connect(on_sound_file_read, dispatch_uid="detection.link")
    sound_file_removed.connect(on_sound_file_removed, dispatch_uid="detection.link")


def on_scan_done(sender, scan, **kwargs) -> None:
    _ask(scan.clip)


def on_decision(sender, instance, **kwargs) -> None:
    """Claps that people moved, added or rejected may say something else about the sound."""
    _ask(instance.clip)


def on_sound_file_read(sender, sound_file, **kwargs) -> None:
    _ask_for_all(sound_file.project)


def on_sound_file_removed(sender, project, **kwargs) -> None:
    _ask_for_all(project)


def _ask(clip) -> None:
    from secondsticks.detection import sound_linking, tasks

    sound_linking.ask(clip.project, [clip.pk], send=tasks.send_link)


def _ask_for_all(project) -> None:
    from secondsticks.detection import sound_linking, tasks

    sound_linking.ask_for_all(project, send=tasks.send_link)
