"""Events of Label Studio that the ML backend has left in the store (docs/ml-backend.md): hints as well."""

from __future__ import annotations

import json
import logging
from itertools import islice

from secondsticks.labeling.label_studio import syncing
from secondsticks.labeling.label_studio.links import LabelStudioLink
from secondsticks.store import store
from training.store import StoreError, Trouble

log = logging.getLogger(__name__)

FOLDER = "webhooks"
AT_ONCE = 500
START_TRAINING = "START_TRAINING"


def read() -> list[LabelStudioLink]:
    """Act on what is there and delete it; returns the links that have news. Safe to do twice."""
    if not LabelStudioLink.objects.exists():
        return []
    try:
        keys = list(islice(store().list(FOLDER), AT_ONCE))
        projects = {number_in(key) for key in keys}
        found = LabelStudioLink.objects.filter(ls_project__in=[one for one in projects if one is not None])
        # Events that do not say whose they are may be anybody's.
        links = list(LabelStudioLink.objects.all() if None in projects else found)
        for link in links:
            syncing.hint(link)
        for key in keys:
            store().delete(key)
    except StoreError as error:
        log.warning("Events that the ML backend left cannot be read. %s", error)
        return []
    return links


def number_in(key: str) -> int | None:
    """Label Studio's number of the project that an event is about; None if it does not say."""
    try:
        event = json.loads(store().read(key, 0, 1 << 20))
    except ValueError:
        log.warning("%s is not an event.", key)
        return None
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            return None
        raise
    if not isinstance(event, dict):
        return None
    if event.get("action") == START_TRAINING:
        log.info("Label Studio asked for a training (%s): leads start those in the project.", key)
    number = event.get("project")
    return number if isinstance(number, int) and not isinstance(number, bool) else None
