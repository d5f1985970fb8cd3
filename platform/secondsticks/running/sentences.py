"""The error that ends a start with one plain sentence instead of a traceback."""


class CannotStart(Exception):
    """Its text is for the person at the keyboard: what is wrong and what to do."""
