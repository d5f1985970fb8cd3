"""Jobs of labelling: doubts of a clip, batches for the queue, proposals; and the sweep that misses none.

What they do is loaded by the worker that does it: it needs OpenCV, which the web process does without.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

import dramatiq

from secondsticks import jobs
from secondsticks.footage.models import Project
from secondsticks.labeling import work
from secondsticks.labeling.models import Batch, ClipDoubts, Derivation, FrameState, Import, LabelStudioLink

#: Names messages: sent twice while it waits, work is still one message.
_NAMES = uuid.UUID("2b9e5bd6-6c5a-4a53-8b3e-9a8bb0c6d0a1")


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=jobs.HOUR)
def find_doubts(pk: int) -> None:
    """Work out what a clip's scan leaves in doubt. A message for what is done already does nothing."""
    from secondsticks.labeling import doubts

    row = work.claim(ClipDoubts, pk)
    if row is not None:
        doubts.work_out(row)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=4 * jobs.HOUR)
def fill_queue(pk: int) -> None:
    """Bring a batch into the queue."""
    from secondsticks.labeling import filling

    batch = work.claim(Batch, pk)
    if batch is not None:
        filling.fill(batch)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=jobs.HOUR)
def derive_labels(pk: int) -> None:
    """Bring a clip's derived annotations in line with what people decided."""
    from secondsticks.labeling import derived

    row = work.claim(Derivation, pk)
    if row is not None:
        derived.work_out(row)


@dramatiq.actor(queue_name=jobs.DETECTION, max_retries=0, time_limit=float("inf"))
def propose(project_pk: int) -> None:
    """Let the champion look at frames that wait without its proposals."""
    from secondsticks.detection.scanner import SCANNER
    from secondsticks.labeling import proposing

    project = Project.objects.filter(pk=project_pk).first()
    if project is not None:
        with SCANNER.lock:
            proposing.propose(project, SCANNER)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=jobs.HOUR)
def sync_label_studio(pk: int) -> None:
    """Bring frames to a project's Label Studio, and back what people said there."""
    from secondsticks.labeling.label_studio import holding, syncing

    hold = holding.claim(pk)
    if hold is not None:
        syncing.sync(hold)


def send_doubts(row: ClipDoubts) -> None:
    _send(find_doubts, row.pk)


def send_batch(batch: Batch) -> None:
    _send(fill_queue, batch.pk)


@dramatiq.actor(queue_name=jobs.HOUSEKEEPING, max_retries=0, time_limit=4 * jobs.HOUR)
def work_on_import(pk: int) -> None:
    """Read a file of annotations, or take it over, or back."""
    from secondsticks.labeling.exchange import taking

    batch = work.claim(Import, pk)
    if batch is not None:
        taking.work_on(batch)


def send_import(batch: Import) -> None:
    _send(work_on_import, batch.pk)


def send_derivation(row: Derivation) -> None:
    _send(derive_labels, row.pk)


def send_sync(link: LabelStudioLink) -> None:
    _send(sync_label_studio, link.pk)


def _send(actor: dramatiq.Actor, pk: int) -> None:
    message = actor.message(pk)
    named = str(uuid.uuid5(_NAMES, f"{actor.actor_name} {pk}"))
    actor.broker.enqueue(message.copy(message_id=named))


def sweep() -> None:
    """Called by the supervisor every few seconds."""
    from secondsticks.detection import champions
    from secondsticks.detection import tasks as detection
    from secondsticks.labeling import derivations, doubts, filling, proposing, refilling
    from secondsticks.labeling.exchange import taking
    from secondsticks.labeling.label_studio import events, syncing

    for scan in doubts.without_doubts():
        send_doubts(doubts.of_scan(scan))
    work.send_lost(ClipDoubts, send=send_doubts, given_up=doubts.GIVEN_UP)
    work.send_lost(Batch, send=send_batch, given_up=filling.GIVEN_UP)
    derivations.ask_for(derivations.without_derivation().values_list("pk", flat=True))
    work.send_lost(Derivation, send=send_derivation, given_up=derivations.GIVEN_UP)
    events.read()
    for link in syncing.due():
        send_sync(link)
    work.send_lost(Import, send=send_import, given_up=taking.GIVEN_UP)
    refilling.refill(send=send_batch)
    with suppress(champions.NoCheckpoint):  # nothing to look with: the scans say so
        refilling.go_on_rescoring(send_scan=detection.send, send_batch=send_batch)
        for project in Project.objects.filter(queued_frames__state=FrameState.WAITING).distinct():
            if proposing.to_propose(project, champions.champion_for(project)).exists():
                _send(propose, project.pk)
