"""`secondsticks watch`: a folder is scanned as it fills. No Django, no database. See docs/exports.md."""

from secondsticks.watch.journal import AlreadyWatched
from secondsticks.watch.outbox import OutUnusable
from secondsticks.watch.watching import Order, Watch, WatchRefused, refuse_overlap

__all__ = ["AlreadyWatched", "Order", "OutUnusable", "Watch", "WatchRefused", "refuse_overlap"]
