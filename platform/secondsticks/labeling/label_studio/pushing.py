"""Bringing frames to Label Studio with the champion's proposals, and keeping what is said of them there true.

What to do follows from what is there now, by `frame_key`: task numbers come again on SQLite, and a push that
broke off, or was done twice, leaves the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from secondsticks.labeling.label_studio.holding import Hold
from secondsticks.labeling.label_studio.links import LabelStudioTask
from secondsticks.labeling.label_studio.server import Sdk
from secondsticks.labeling.label_studio.tasks_there import (
    CONFIG,
    NOT_ASKED,
    Task,
    data_of,
    frames_of,
    prediction_of,
    version_of,
)
from secondsticks.labeling.models import FrameState, QueuedFrame

log = logging.getLogger(__name__)

#: Frames that may wait there at once, of one call, and task changes (a call each) of one sync.
MOST, AT_ONCE, CHANGES = 1000, 100, 200
There = dict[str, list[Task]]


def push(hold: Hold, sdk: Sdk, there: There) -> int:
    """Bring what waits, mark what does not wait any more; returns how many frames came anew."""
    waiting = waiting_in(hold)
    frames = frames_of(hold.link, there)
    there = {key: tasks for key, tasks in there.items() if key in frames}  # the rest is other people's
    drop_doubles(sdk, there)
    new = [frame for key, frame in waiting.items() if key not in there]
    for some in chunks(new, AT_ONCE):
        bring(hold, sdk, some)
    changed = changes(hold, waiting, frames, there)
    for task, frame, told in islice(changed, CHANGES):
        sdk.tasks.update(str(task.id), data=told)
        note(hold, [(frame, task.id, told)])
    known = {key: tasks[0] for key, tasks in there.items() if key in waiting}
    predict_anew(hold, sdk, [(known[key], waiting[key]) for key in known])
    show_version(hold, sdk, waiting.values())
    return len(new)


def waiting_in(hold: Hold) -> dict[str, QueuedFrame]:
    """The frames that are to wait there, the first in our queue first."""
    rows = QueuedFrame.objects.filter(project=hold.link.project_id, state=FrameState.WAITING)
    first = rows.select_related("clip", "checkpoint").order_by("rank", "pk")[:MOST]
    return {frame.frame_key: frame for frame in first}


def bring(hold: Hold, sdk: Sdk, frames: Sequence[QueuedFrame]) -> None:
    """Make tasks of frames, each with its prediction in the same call."""
    told = [data_of(frame, hold.link) for frame in frames]
    predictions = [prediction_of(frame) for frame in frames]
    require_valid([one for one in predictions if one])
    tasks = [
        {"data": data, "predictions": [one] if one else []}
        for data, one in zip(told, predictions, strict=True)
    ]
    made = sdk.projects.import_tasks(hold.link.ls_project, request=tasks, return_task_ids=True)
    numbers = list(made.task_ids or [])
    if len(numbers) == len(frames):
        note(hold, zip(frames, numbers, told, strict=True), with_version=True)


def require_valid(predictions: list[dict[str, Any]]) -> None:
    """Our own mistake, if a prediction is none in our label config: say so before Label Studio keeps it."""
    from label_studio_sdk.label_interface.interface import LabelInterface

    interface = LabelInterface(CONFIG)
    for one in predictions:
        errors = interface.validate_prediction(one, return_errors=True)
        if errors:
            raise ValueError(f"not a prediction that Label Studio knows: {errors}")


def note(
    hold: Hold, told: Iterable[tuple[QueuedFrame, int, dict[str, Any]]], *, with_version: bool = False
) -> None:
    """Keep what Label Studio was told."""
    rows = [
        LabelStudioTask(
            link=hold.link, frame=frame, ls_task=number, told=data,
            model_version=version_of(frame) if with_version else "",
        )
        for frame, number, data in told
    ]  # fmt: skip
    LabelStudioTask.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["link", "frame"],
        update_fields=["ls_task", "told", *(["model_version"] if with_version else [])],
    )


def drop_doubles(sdk: Sdk, there: There) -> None:
    """Of several tasks of one frame, keep those that people have worked on, else the first."""
    for key, tasks in there.items():
        tasks.sort(key=lambda task: (not task.is_touched, task.id))
        for task in [one for one in tasks[1:] if not one.is_touched]:
            sdk.tasks.delete(str(task.id))
            tasks.remove(task)
            log.info("Frame %s was there twice.", key)


def changes(
    hold: Hold, waiting: dict[str, QueuedFrame], frames: dict[str, QueuedFrame], there: There
) -> Iterator[tuple[Task, QueuedFrame, dict[str, Any]]]:
    """Tasks that do not say what they should. Those that people have answered there are left alone."""
    for key, frame in frames.items():
        for task in there[key]:
            told = data_of(frame, hold.link, task.told)
            asked = task.told.get("asked") != NOT_ASKED
            if key in waiting or asked:
                answered = bool(task.annotations) and frame.state != FrameState.WAITING
                if any(task.told.get(name) != value for name, value in told.items()) and not answered:
                    yield task, frame, {**task.told, **told}


def predict_anew(hold: Hold, sdk: Sdk, pairs: list[tuple[Task, QueuedFrame]]) -> None:
    """Give tasks the proposals of a champion whose they have none of yet."""
    known = dict(LabelStudioTask.objects.filter(link=hold.link).values_list("frame", "model_version"))
    old = [pair for pair in pairs if version_of(pair[1]) not in ("", known.get(pair[1].pk))]
    if not old:
        return
    found = sdk.predictions.list(project=hold.link.ls_project)
    have = {(one.task, one.model_version) for one in found}
    for some in chunks(old, AT_ONCE):
        missing = [
            {"task": task.id, **prediction}
            for task, frame in some
            if (task.id, version_of(frame)) not in have and (prediction := prediction_of(frame))
        ]
        require_valid(missing)
        if missing:
            sdk.projects.import_predictions(hold.link.ls_project, request=missing)
        note(hold, [(frame, task.id, task.told) for task, frame in some], with_version=True)


def show_version(hold: Hold, sdk: Sdk, frames: Iterable[QueuedFrame]) -> None:
    """Have Label Studio show the proposals that most of what waits has."""
    counted = Counter(version for frame in frames if (version := version_of(frame)))
    if not counted:
        return
    (version, _), *_ = counted.most_common(1)
    # Making tasks and connecting an ML backend set it too, to what suits Label Studio.
    project = sdk.projects.get(hold.link.ls_project)
    if project.model_version != version or hold.link.model_version != version:
        sdk.projects.update(hold.link.ls_project, model_version=version)
        hold.write(model_version=version)


def chunks(every: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(every), size):
        yield every[start : start + size]
