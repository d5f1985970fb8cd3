"""What a worker does with a new clip: read its facts, take a poster from its middle, make it playable."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from PIL import Image

from secondsticks.footage import bucket
from secondsticks.footage.fetching import KINDS, at_hand
from secondsticks.footage.leases import MOST_FAILURES, Lease, LeaseLost, held
from secondsticks.footage.models import Clip, ClipState, ProxyState, columns_of
from secondsticks.footage.signals import clip_ingested
from training.footage.footage import ClipFacts, Footage, FootageError, make_proxy, playable_in_browser
from training.store import StoreError

POSTER_SIDE = 640
FINGERPRINT_BYTES = 1 << 20
#: What went wrong on our side, not in the file: worth another try.
PASSING = {"timeout", "memory", "no_space"}
STOPPED = "This clip could not be read: the reader stopped each time."

logger = logging.getLogger(__name__)


def read(lease: Lease[Clip], *, send_proxy: Callable[[Clip], None]) -> None:
    """Read a clip and make it ready, or refuse it with a sentence. Raises what is worth another try."""
    failures = lease.row.failures  # as it was: a finish that is rolled back leaves 0 in memory
    with held(lease):
        try:
            if failures >= MOST_FAILURES:
                raise FootageError("broken", lease.row.message or STOPPED)
            _finish(lease, _look(lease.row), send_proxy=send_proxy)
        except LeaseLost:
            raise
        except FootageError as error:
            if error.kind in PASSING and failures + 1 < MOST_FAILURES:
                _give_back(lease, state=ClipState.UPLOADED, message=str(error))
                raise
            _refuse(lease, str(error))
        except Exception:
            if failures + 1 < MOST_FAILURES:
                _give_back(lease, state=ClipState.UPLOADED)
            else:
                _refuse(lease, "This clip could not be read: the server failed. Its log says more.")
            raise


def make_playable(lease: Lease[Clip]) -> None:
    """Make the proxy of a clip that browsers cannot play. Raises what is worth another try."""
    clip = lease.row
    with held(lease):
        try:
            if clip.failures >= MOST_FAILURES:
                raise FootageError("broken", "The proxy could not be made: the worker stopped each time.")
            clip.folder.mkdir(parents=True, exist_ok=True)
            with at_hand(clip) as path:
                make_proxy(path, clip.proxy_path, progress=_reporter(lease))
            _keep_proxy(clip)
            lease.write(proxy_state=ProxyState.READY, proxy_progress=1, failures=0, leased_until=None)
        except LeaseLost:
            raise
        except FootageError as error:
            if error.kind in PASSING and clip.failures + 1 < MOST_FAILURES:
                _give_back(lease, proxy_state=ProxyState.QUEUED)
                raise
            lease.write(proxy_state=ProxyState.FAILED, proxy_message=str(error), leased_until=None)
        except Exception:
            _give_back(lease, proxy_state=ProxyState.QUEUED)
            raise


def _keep_proxy(clip: Clip) -> None:
    """A proxy lies where its clip lies: of a clip in the bucket, there."""
    if bucket.is_in_bucket(clip.location):
        try:
            bucket.bucket().put(bucket.proxy_key(clip.location), clip.proxy_path)
        except StoreError as error:
            raise FootageError(KINDS[error.trouble], str(error)) from error
        clip.proxy_path.unlink()


def _look(clip: Clip) -> ClipFacts:
    """Probe the clip and leave its poster in its folder. The decoder runs in a fenced child."""
    with at_hand(clip) as path, Footage(path, longest_side=POSTER_SIDE) as footage:
        clip.size = path.stat().st_size
        clip.fingerprint = fingerprint(path)
        clip.has_poster = _save_poster(footage, clip)
        return footage.facts


def _save_poster(footage: Footage, clip: Clip) -> bool:
    """Write the frame in the middle as a JPEG, whole or not at all; a clip without one is still fine."""
    clip.folder.mkdir(parents=True, exist_ok=True)
    partial = clip.folder / f".poster.{os.getpid()}.partial"
    try:
        picture = footage.frame_at(footage.facts.frames // 2).picture
        Image.fromarray(picture).save(partial, format="JPEG", quality=82)
        partial.replace(clip.poster_path)
    except FootageError as error:
        logger.info("clip %s has no poster: %s", clip.uuid, error)
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def _finish(lease: Lease[Clip], facts: ClipFacts, *, send_proxy: Callable[[Clip], None]) -> None:
    clip = lease.row
    playable = playable_in_browser(facts)
    looked_at = {name: getattr(clip, name) for name in ("size", "fingerprint", "has_poster")}
    with transaction.atomic():
        lease.write(
            state=ClipState.READY,
            message="",
            failures=0,
            leased_until=None,
            queued_at=Now(),
            proxy_state=ProxyState.NOT_NEEDED if playable else ProxyState.QUEUED,
            **looked_at,
            **columns_of(facts),
        )
        clip_ingested.send(sender=Clip, clip=clip)
        if not playable:
            transaction.on_commit(lambda: send_proxy(clip), robust=True)


def _refuse(lease: Lease[Clip], sentence: str) -> None:
    lease.write(state=ClipState.REFUSED, message=sentence, leased_until=None)


def _give_back(lease: Lease[Clip], **columns: str) -> None:
    """Let the next try begin at once."""
    lease.write(failures=F("failures") + 1, leased_until=None, **columns)


def _reporter(lease: Lease[Clip]) -> Callable[[int, int], None]:
    """Return a progress callback: it writes at most once a second, and stops who was taken over."""
    written = 0.0

    def report(done: int, total: int) -> None:
        nonlocal written
        if time.monotonic() - written >= 1:
            written = time.monotonic()
            lease.write(proxy_progress=min(done / max(total, 1), 1))

    return report


def fingerprint(path: Path) -> str:
    """Return a SHA-256 over the size, the first and the last MiB: enough to tell two camera files apart."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(FINGERPRINT_BYTES))
        file.seek(max(size - FINGERPRINT_BYTES, 0))
        digest.update(file.read(FINGERPRINT_BYTES))
    return digest.hexdigest()
