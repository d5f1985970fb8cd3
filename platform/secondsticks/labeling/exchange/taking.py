"""Taking an import over, and back: pictures first, then all rows in one transaction.

Each step may be repeated: a still's uuid follows from the import and the picture's name, and until the rows
are written nothing of an import can be seen.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID, uuid5

from django.db import transaction

from secondsticks.footage.models import Clip
from secondsticks.labeling import filling, history
from secondsticks.labeling.exchange.planning import (
    Plan,
    Taken,
    content_of,
    every_few_seconds,
    plan,
    require_unlabelled,
)
from secondsticks.labeling.exchange.rows import Import, ImportedLabel, Step, Still
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import FrameState, Origin, QueuedFrame, picture_key
from secondsticks.labeling.work import Lost, WorkState
from secondsticks.store import store
from training.exchange.archive import Archive, open_archive
from training.exchange.foreign import ExchangeError, ForeignFrame, PictureProblem
from training.exchange.pictures import as_jpeg
from training.footage.footage import FootageError
from training.store import StoreError

log = logging.getLogger(__name__)
GIVEN_UP = "This import could not be finished; the server's log says more. Nothing of it was taken over."


def work_on(batch: Import) -> None:
    """Do the step that an import waits for. For the worker that has claimed it."""
    try:
        {Step.READ: read, Step.TAKE: take, Step.BACK: take_back}[Step(batch.step)](batch)
    except Lost:
        log.info("Import %s is no longer ours.", batch.uuid)
    except ExchangeError as error:
        end_refused(batch, str(error))
    except StoreError as error:
        batch.hand_back(str(error))
    except Exception:
        batch.hand_back(GIVEN_UP)
        raise


def end_refused(batch: Import, sentence: str) -> None:
    try:
        batch.end(WorkState.FAILED, error=sentence)
    except Lost:
        log.info("Import %s is no longer ours.", batch.uuid)


def read(batch: Import) -> None:
    """Say what would be taken over."""
    made = plan(batch)
    batch.end(report=made.report(), format=made.format, error="")


def take(batch: Import) -> None:
    """Take over what can be, by what is here now."""
    made = plan(batch)
    stills, frames = bring_pictures(batch, made)
    with transaction.atomic():
        batch.renew()
        write_frames(batch, made, frames)
        write_stills(batch, made, stills)
        batch.end(report=made.report(), error="")
    batch.file.unlink(missing_ok=True)


def bring_pictures(batch: Import, made: Plan) -> tuple[list[Still], list[QueuedFrame]]:
    """Rows with their pictures in the store; what has no picture after all is refused."""
    beat = every_few_seconds(batch.renew)
    stills, kept = [], []
    with open_archive(batch.file, beat) as archive:
        for one in made.taken:
            if one.clip is not None:
                kept.append(one)
                continue
            try:
                stills.append(still_of(batch, archive, one))
                kept.append(one)
            except PictureProblem as problem:
                made.refuse(one.foreign, str(problem))
    made.taken = kept
    return stills, list(frames_of(batch, made))


def still_of(batch: Import, archive: Archive, one: Taken) -> Still:
    """Raises PictureProblem."""
    jpeg, width, height = as_jpeg(content_of(archive, one.foreign))
    still = Still(
        **whence(batch, one.foreign),
        uuid=uuid_of(batch, one.foreign),
        project_id=batch.project_id,
        source=batch.source,
        width=width,
        height=height,
        original_sha256=one.sha256,
        picture_sha256=sha256(jpeg).hexdigest(),
        boxes=one.boxes,
    )
    store().put(picture_key(still.frame_key), jpeg)
    return still


def uuid_of(batch: Import, foreign: ForeignFrame) -> UUID:
    return uuid5(batch.uuid, foreign.picture)


def whence(batch: Import, foreign: ForeignFrame) -> dict[str, object]:
    return {
        "batch": batch,
        "image_id": foreign.id,
        "file_name": foreign.file_name,
        "part": foreign.part,
        "box_ids": [one.id for one in foreign.boxes],
        "author": foreign.author,
    }


def frames_of(batch: Import, made: Plan) -> Iterable[QueuedFrame]:
    """New rows for frames of clips that we have no picture of yet."""
    of_clips: defaultdict[Clip, list[Taken]] = defaultdict(list)
    for one in made.taken:
        if one.clip is not None:
            of_clips[one.clip].append(one)
    for clip, group in of_clips.items():
        wanted = {one.frame: one for one in group}
        known = set(QueuedFrame.objects.filter(clip=clip, frame__in=wanted).values_list("frame", flat=True))
        missing = [{"frame": number} for number in wanted if number not in known]
        rows, sentence = pictured(batch, clip, missing) if missing else ([], "")
        yield from rows
        have = known | {row.frame for row in rows}
        for number, one in wanted.items():
            if number not in have:
                made.taken.remove(one)
                made.refuse(one.foreign, sentence or "This frame is damaged in its clip.")


def pictured(batch: Import, clip: Clip, missing: list[dict[str, int]]) -> tuple[list[QueuedFrame], str]:
    """Rows of frames that can be read, and why the others cannot."""
    rows = []
    try:
        for _, frame in filling.pictures_of(batch, clip, missing):
            if frame is not None:
                row = filling.row_of(clip, frame, {})
                row.state, row.why = FrameState.WITHDRAWN, "imported"
                rows.append(row)
    except FootageError as error:
        return rows, str(error)
    return rows, ""


def write_frames(batch: Import, made: Plan, rows: list[QueuedFrame]) -> None:
    """Add versions; what somebody has labelled meanwhile is theirs."""
    QueuedFrame.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    for one in [one for one in made.taken if one.clip is not None]:
        frame = (
            QueuedFrame.objects.select_for_update(of=("self",), no_key=True)
            .select_related("standing")
            .get(clip=one.clip, frame=one.frame)
        )
        try:
            if (frame.width, frame.height) != (one.foreign.width, one.foreign.height):
                raise PictureProblem(f"Our picture has {frame.width} × {frame.height} pixels.")
            require_unlabelled(frame)
        except PictureProblem as problem:
            made.taken.remove(one)
            made.refuse(one.foreign, str(problem))
            continue
        annotation = history.add(frame, word(batch, frame, one))
        ImportedLabel.objects.create(**whence(batch, one.foreign), annotation=annotation)


def word(batch: Import, frame: QueuedFrame, one: Taken) -> Word:
    """In the name of whoever drew it; who brought the file is said by the import."""
    return Word(
        by=None,
        by_name=one.foreign.author or batch.name[:150],
        key=f"import/{batch.uuid}",
        made_on=frame.version,
        origin=Origin.IMPORTED,
        boxes=one.boxes,
    )


def write_stills(batch: Import, made: Plan, stills: list[Still]) -> None:
    Still.objects.bulk_create(stills, ignore_conflicts=True, batch_size=500)
    written = set(batch.stills.values_list("uuid", flat=True))
    for one in [one for one in made.taken if one.clip is None]:
        if uuid_of(batch, one.foreign) not in written:
            made.taken.remove(one)
            made.refuse(one.foreign, "This picture came with another import meanwhile.")


def take_back(batch: Import) -> None:
    """Undo an import: another version for each frame that it labelled; its stills go."""
    stills = list(batch.stills.all())
    with transaction.atomic():
        batch.renew()
        labels = batch.importedlabels.filter(annotation__undone_by=None).select_related("annotation")
        for label in labels:
            old = label.annotation
            frame = QueuedFrame.objects.select_for_update(no_key=True).get(pk=old.frame_id)
            undo = Word(
                by=None, by_name=old.by_name, key=f"import/{batch.uuid}/back", made_on=frame.version,
                origin=Origin.IMPORTED, undoes=old,
            )  # fmt: skip
            history.add(frame, undo)
        batch.stills.all().delete()
        batch.end(error="")
    for still in stills:  # nobody asks for these any more; what is left after a crash is in nobody's way
        store().delete(picture_key(still.frame_key))
