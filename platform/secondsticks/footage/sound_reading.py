"""What a worker does with a new sound file: read its header, listen to it for what may be claps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F

from secondsticks.footage.fetching import at_hand
from secondsticks.footage.leases import MOST_FAILURES, Lease, LeaseLost, held
from secondsticks.footage.models import SoundFile
from secondsticks.footage.reading import fingerprint
from secondsticks.footage.signals import sound_file_read
from secondsticks.footage.sound_files import SoundFileState, columns_of
from training.footage.facts import FootageError
from training.sound.blocks import SoundBlock
from training.sound.files import SoundFileError, probe_sound, read_sound

#: Of the sounds that are like a clap, at least this much, so many of the surest are kept.
LIKE_A_CLAP = 0.5
MOST_KEPT = 1000
STOPPED = "This sound file could not be read: the reader stopped each time."


def read(lease: Lease[SoundFile]) -> None:
    """Read a sound file and make it ready, or refuse it with a sentence. Raises what is worth another try."""
    failures = lease.row.failures
    with held(lease):
        try:
            if failures >= MOST_FAILURES:
                raise SoundFileError(lease.row.message or STOPPED)
            _finish(lease, _listen(lease))
        except LeaseLost:
            raise
        except (FootageError, SoundFileError) as error:
            _refuse(lease, str(error))
        except OSError:  # a share that went away in the middle of a file
            if failures + 1 >= MOST_FAILURES:
                _refuse(lease, "The file could not be read to its end.")
                return
            _give_back(lease, message="The file could not be read to its end.")
            raise
        except Exception:
            if failures + 1 < MOST_FAILURES:
                _give_back(lease)
            else:
                _refuse(lease, "This sound file could not be read: the server failed. Its log says more.")
            raise


def _listen(lease: Lease[SoundFile]) -> dict[str, Any]:
    """The columns of what the file says and of what is heard in it."""
    from training.sound.transients import find_transients  # scipy, which the web process need not load

    with at_hand(lease.row) as path:
        sound, about = probe_sound(path), {"size": path.stat().st_size, "fingerprint": fingerprint(path)}
        hearing = find_transients(_watched(lease, read_sound(sound)))
    like = [one for one in hearing.transients if one.confidence >= LIKE_A_CLAP]
    surest = sorted(like, key=lambda one: -one.confidence)[:MOST_KEPT]
    heard = [asdict(one) for one in sorted(surest, key=lambda one: one.sample)]
    return columns_of(sound) | {"heard": heard} | about


def _watched(lease: Lease[SoundFile], blocks: Iterator[SoundBlock]) -> Iterator[SoundBlock]:
    """The blocks, as long as the file is ours to read."""
    for number, block in enumerate(blocks):
        if number % 1000 == 999 and not lease.renew():
            raise LeaseLost(f"sound file {lease.row.uuid}")
        yield block


def _finish(lease: Lease[SoundFile], columns: dict[str, Any]) -> None:
    with transaction.atomic():
        lease.write(state=SoundFileState.READY, message="", failures=0, leased_until=None, **columns)
        sound_file_read.send(sender=SoundFile, sound_file=lease.row)


def _refuse(lease: Lease[SoundFile], sentence: str) -> None:
    lease.write(state=SoundFileState.REFUSED, message=sentence, leased_until=None)


def _give_back(lease: Lease[SoundFile], **columns: str) -> None:
    """Let the next try begin at once."""
    lease.write(state=SoundFileState.UPLOADED, failures=F("failures") + 1, leased_until=None, **columns)
