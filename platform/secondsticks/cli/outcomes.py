"""How a command ends."""

ALL_READ, SOME_FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130


class CheckpointRefused(Exception):
    """The checkpoint that was asked for cannot be used."""


class FolderRefused(Exception):
    """The folder for exported files cannot be used."""


class ExtraMissing(Exception):
    """What was asked for needs an extra that is not installed."""


class FileRefused(Exception):
    """A file that cannot be used; one plain sentence."""
