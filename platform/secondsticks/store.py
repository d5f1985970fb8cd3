"""Where the machines of this installation share what training needs and leaves."""

from functools import cache

from django.conf import settings

from training.store import Store, open_store

_opened = cache(open_store)


def store() -> Store:
    """The store at SECONDSTICKS_STORE."""
    return _opened(settings.SECONDSTICKS_STORE)
