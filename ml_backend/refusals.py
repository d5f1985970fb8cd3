"""What is said to a caller instead of an answer."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """A request that gets no answer: the HTTP status, and one plain sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})


def later(sentence: str, *, seconds: int) -> Refused:
    """A request that may be made again in so many seconds."""
    return Refused(503, sentence, {"Retry-After": str(seconds)})
