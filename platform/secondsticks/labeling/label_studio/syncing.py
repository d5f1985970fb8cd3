"""One sync of a link: make sure that all is there, take in what people said, bring what waits.

It is due again after a while whatever webhooks say: they come at most once, and are hints.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.db.models import F
from django.db.models.functions import Now

from secondsticks.labeling.label_studio import bringing, establishing, pushing, tokens
from secondsticks.labeling.label_studio.holding import Hold, Lost, free, held
from secondsticks.labeling.label_studio.links import LabelStudioLink, LinkState
from secondsticks.labeling.label_studio.server import LabelStudioError, Sdk, connect, export_of, talking
from secondsticks.labeling.label_studio.tasks_there import tasks_in

log = logging.getLogger(__name__)

#: Seconds between two syncs; a server that is slow, or away, is asked more rarely.
EVERY, TIMES_SLOWER, LONGEST = 120.0, 20, 1800.0
BROKEN = "The sync broke on our side; the server's log says why. It is tried again."


def sync(hold: Hold) -> bool:
    """Sync a link that was claimed, and give it back; whether all went well."""
    began = time.monotonic()
    link = hold.link
    try:
        with held(hold):
            if link.is_to_be_checked:
                check(hold)
            run(hold)
        spent = (time.monotonic() - began) * TIMES_SLOWER
        hold.give_back(
            again=timedelta(seconds=min(max(EVERY, spent), LONGEST)),
            state=LinkState.LINKED, error="", failures=0, reconciled_at=Now(),
        )  # fmt: skip
        return True
    except Lost as lost:
        log.info("taken over by another worker: %s", lost)
    except (LabelStudioError, tokens.NoToken) as error:
        fail(hold, str(error))
    except Exception:
        fail(hold, BROKEN)
        raise
    return False


def run(hold: Hold) -> None:
    """Raises LabelStudioError, NoToken, Lost."""
    link = hold.link
    sdk = connect(link.url, tokens.token_of(link))
    with talking(link.url):
        establishing.establish(hold, sdk)
        there = tasks_in(export_of(sdk, link.ls_project))
        if not hold.renew():
            raise Lost(str(link))
        notes = bringing.bring(link, there, people_of(sdk))
        if notes != link.notes:
            hold.write(notes=notes)
        pushing.push(hold, sdk, there)


def people_of(sdk: Sdk) -> Callable[[], dict[int, str]]:
    """E-mails by number; asked for at most once, and only if somebody new has said something."""

    @cache
    def people() -> dict[int, str]:
        return {one.id: one.email for one in sdk.users.list() if one.id is not None}

    return people


def check(hold: Hold) -> None:
    """Let the doctor look, and keep what it finds."""
    from secondsticks.labeling.label_studio import doctor

    found = [list(one) for one in doctor.look(hold.link)]
    hold.write(findings=found, checked_at=Now())


def fail(hold: Hold, sentence: str) -> None:
    pause = min(15.0 * 2 ** min(hold.link.failures, 10), LONGEST)
    try:
        hold.give_back(
            again=timedelta(seconds=pause),
            state=LinkState.TROUBLE,
            error=sentence,
            failures=F("failures") + 1,
        )
    except Lost as lost:
        log.info("taken over by another worker: %s", lost)


def due() -> list[LabelStudioLink]:
    return list(LabelStudioLink.objects.filter(free(), due_at__lte=Now()).order_by("due_at")[:50])


def hint(link: LabelStudioLink) -> None:
    """There may be news: have the link synced soon, also if a sync is under way."""
    LabelStudioLink.objects.filter(pk=link.pk).update(hints=F("hints") + 1, due_at=Now())


def is_ml_backend_needed() -> bool:
    """For `manage.py up`: whether a link asks the ML backend."""
    return LabelStudioLink.objects.exclude(ml_url="").exists()
