"""Talking to a Label Studio through its SDK, and its faults in sentences.

The SDK takes seconds and a hundred megabytes to load: workers and commands import it, inside functions;
the web process never does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from secondsticks.labeling.label_studio.addresses import AddressRefused, require_allowed

log = logging.getLogger(__name__)

#: The SDK's client. Its generated types say less than it takes: numbers that are known by then, plain JSON.
Sdk = Any
#: What this was built and tested against.
VERSION = "1.23.2"
TIMEOUT = 60.0  # seconds for one answer; an export of thousands of tasks takes some
RETRIES = 1


class Fault(StrEnum):
    AWAY = "away"
    TOKEN = "token"
    GONE = "gone"
    OTHER = "other"


class LabelStudioError(Exception):
    """Why Label Studio did not do what it was asked, in a sentence."""

    def __init__(self, sentence: str, fault: Fault) -> None:
        super().__init__(sentence)
        self.fault = fault


def connect(url: str, token: str) -> Sdk:
    """A client for a server. Raises LabelStudioError."""
    try:
        require_allowed(url)
    except AddressRefused as refused:
        raise LabelStudioError(str(refused), Fault.AWAY) from None
    from label_studio_sdk.client import LabelStudio

    with talking(url):
        return LabelStudio(
            base_url=url, api_key=token, timeout=TIMEOUT, follow_redirects=False, max_retries=RETRIES
        )


@contextmanager
def talking(url: str) -> Iterator[None]:
    """Turn whatever goes wrong while talking to the server into a LabelStudioError."""
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.core.http_client import httpx  # type: ignore[attr-defined]

    try:
        yield
    except ApiError as error:
        raise of_status(url, error.status_code or 0, error.body) from error
    except httpx.TimeoutException as error:
        raise LabelStudioError(f"Label Studio at {url} does not answer in time.", Fault.AWAY) from error
    except httpx.HTTPError as error:
        raise LabelStudioError(
            f"Label Studio at {url} cannot be reached ({type(error).__name__}). Does it run?", Fault.AWAY
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise LabelStudioError(f"What answers at {url} is no Label Studio.", Fault.OTHER) from error


def export_of(sdk: Sdk, project: int | None) -> Any:
    """Every task of a project with its annotations, and no pictures."""
    told = {"export_type": "JSON", "download_all_tasks": True, "download_resources": False}
    return json.loads(b"".join(sdk.projects.exports.download_sync(project, **told)))


def of_status(url: str, status: int, body: Any) -> LabelStudioError:
    if status in (401, 403):
        if "legacy token authentication has been disabled" in str(body):
            return LabelStudioError(
                "This is a legacy token, and Label Studio has those switched off: make a personal access "
                "token (Account & Settings, Personal Access Token) and give that.",
                Fault.TOKEN,
            )
        return LabelStudioError(
            f"Label Studio at {url} does not accept the token ({status}): give a personal access token that "
            "has not expired or been revoked, of an account that may make projects.",
            Fault.TOKEN,
        )
    if status == 404:
        return LabelStudioError(f"Label Studio at {url} does not know what was asked for (404).", Fault.GONE)
    if 200 <= status < 300:
        return LabelStudioError(f"What answers at {url} is no Label Studio.", Fault.OTHER)
    if 300 <= status < 400:
        return LabelStudioError(
            f"{url} sends us elsewhere ({status}): give the address that it sends to.", Fault.OTHER
        )
    if status in (408, 429) or status >= 500:
        return LabelStudioError(f"Label Studio at {url} has trouble of its own ({status}).", Fault.AWAY)
    log.warning("Label Studio at %s answered %s: %.500s", url, status, body)
    return LabelStudioError(
        f"Label Studio at {url} refused what was asked ({status}); the log has its reason.", Fault.OTHER
    )


def kind_of(token: str) -> str:
    """`personal access token`, or `legacy token`, as far as one can tell from its form."""
    return "personal access token" if token.count(".") == 2 else "legacy token"
