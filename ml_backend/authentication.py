"""Who may ask: those who know the secret. Comparing takes the same time whatever is right."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping

from ml_backend.refusals import Refused

#: Seconds that a signed webhook may be old, or a sender's clock ahead.
WINDOW = 300
SECRET, SIGNATURE, STAMP = "X-Secondsticks-Secret", "X-Secondsticks-Signature", "X-Secondsticks-Timestamp"
Headers = Mapping[str, str]


class Gate:
    """Lets in who knows the secret."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def admit(self, headers: Headers) -> None:
        """HTTP basic authentication; the password is the secret, the user may be any. Raises Refused."""
        if not self._is_secret(_password(headers.get("authorization", ""))):
            raise _unauthorized("Give the ML backend's secret as the password of HTTP basic authentication.")

    def admit_webhook(self, headers: Headers) -> bool:
        """The same, or the secret in a header of its own; True when `check_signature` must decide instead.

        A webhook that is signed is judged by its signature alone. Raises Refused.
        """
        if SIGNATURE.lower() in headers or STAMP.lower() in headers:
            self._check_stamp(headers)
            return True
        if not self._is_secret(headers.get(SECRET.lower(), "").encode()):
            self.admit(headers)
        return False

    def check_signature(self, headers: Headers, body: bytes) -> None:
        """Raises Refused unless the signature is right (401) and was never seen (409)."""
        stamp, signature = headers.get(STAMP.lower(), ""), headers.get(SIGNATURE.lower(), "")
        right = signature_of(self._secret, stamp, body)
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise _unauthorized("The webhook's signature is not right.")
        with self._lock:
            now = self._clock()
            self._seen = {one: until for one, until in self._seen.items() if until >= now}
            if right in self._seen:
                raise Refused(409, "This webhook came before.")
            self._seen[right] = now + 2 * WINDOW

    def forget(self, headers: Headers) -> None:
        """Let a signed webhook come again: it could not be kept."""
        with self._lock:
            self._seen.pop(headers.get(SIGNATURE.lower(), ""), None)

    def _check_stamp(self, headers: Headers) -> None:
        stamp = headers.get(STAMP.lower(), "")
        is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) < 16
        if not is_number or abs(self._clock() - int(stamp)) > WINDOW:
            raise _unauthorized(
                f"The webhook's {STAMP} is missing, or not within {WINDOW} seconds of our clock."
            )

    def _is_secret(self, said: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(said).digest(), hashlib.sha256(self._secret).digest())


def signature_of(secret: bytes, stamp: str, body: bytes) -> str:
    """The value of X-Secondsticks-Signature for a body sent at `stamp`, in whole seconds since 1970."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _password(authorization: str) -> bytes:
    """Of `Basic <user:password>`; empty for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip().encode("ascii"), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _unauthorized(sentence: str) -> Refused:
    return Refused(401, sentence, {"WWW-Authenticate": 'Basic realm="Second Sticks ML backend"'})
