"""Why the text of a slate could not be read."""

from training.slate_text import NOT_INSTALLED

#: Marks a sentence of the reading child as its own; all others are the fence's.
SAID = "slate: "


class SlateTextFailed(Exception):
    """One plain sentence. The slate may be read another time."""


class NotInstalled(SlateTextFailed):
    """The extra `ocr` is missing."""

    def __init__(self) -> None:
        super().__init__(NOT_INSTALLED)
