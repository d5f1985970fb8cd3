"""Locks that all machines on one database share. PostgreSQL lets go of them when their holder dies."""

import contextlib
from collections.abc import Iterator
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Any numbers will do, as long as they stay: machines of two versions may meet during an update."""

    SWEEP = 0x5EC0
    PREPARE = 0x5EC1


@contextlib.contextmanager
def held(lock: Lock) -> Iterator[None]:
    """Wait for the lock and hold it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
    try:
        yield
    finally:
        _let_go(lock)


@contextlib.contextmanager
def held_if_free(lock: Lock) -> Iterator[bool]:
    """Hold the lock if nobody else does; the value says whether."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        ours = cursor.fetchone() == (True,)
    try:
        yield ours
    finally:
        if ours:
            _let_go(lock)


def _let_go(lock: Lock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
