"""The routes that Label Studio calls: /health, /setup, /predict, /versions and /webhook, below any prefix."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from ml_backend import webhooks
from ml_backend.authentication import Gate
from ml_backend.labels import Labels, read_labels
from ml_backend.predicting import Predictions
from ml_backend.refusals import Refused, later
from ml_backend.weights import Weights
from ml_backend.wire import Json, Reply, Request, json_in, request_in
from training.store import Store

log = logging.getLogger(__name__)

#: Bytes of a body. Predictions that a task has already travel along with it; a webhook has its whole project.
LARGEST_PREDICT, LARGEST = 64 << 20, 8 << 20
MOST_TASKS = 10_000
#: Signed webhooks are read before they are trusted; of those, so many at a time.
UNTRUSTED_AT_ONCE = 4


class Application:
    """The WSGI application."""

    def __init__(self, *, gate: Gate, weights: Weights, predictions: Predictions, store: Store) -> None:
        self._gate = gate
        self._weights = weights
        self._predictions = predictions
        self._store = store
        self._untrusted = BoundedSemaphore(UNTRUSTED_AT_ONCE)
        self._routes: Mapping[str, tuple[str, Callable[[Request], Reply]]] = {
            "health": ("GET", self.health),
            "": ("GET", self.health),
            "versions": ("GET", self.versions),
            "setup": ("POST", self.setup),
            "predict": ("POST", self.predict),
            "webhook": ("POST", self.webhook),
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        try:
            reply = self._answer(request_in(environ))
        except Refused as refused:
            reply = Reply({"error": str(refused)}, refused.status, refused.headers)
        except Exception:
            log.exception("A request to %.100r failed.", environ.get("PATH_INFO"))
            reply = Reply({"error": "The request failed on our side; the service's log says why."}, 500)
        return reply.send(start)

    def _answer(self, request: Request) -> Reply:
        if request.route not in self._routes:
            self._gate.admit(request.headers)
            raise Refused(404, "There are the routes health, setup, predict, versions and webhook.")
        method, answer = self._routes[request.route]
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            raise Refused(405, f"Ask with {method}.", {"Allow": method})
        return answer(request)

    def health(self, request: Request) -> Reply:
        """Open to all, and answered at once: 200 unless there are no weights and none to come."""
        report = self._weights.report()
        missing = report["weights"] == "missing"
        return Reply({"status": "DOWN" if missing else "UP", **report}, 503 if missing else 200)

    def versions(self, request: Request) -> Reply:
        self._gate.admit(request.headers)
        return Reply({"versions": [self._weights.model_version()]})

    def setup(self, request: Request) -> Reply:
        """A project comes, or asks again: its label config must be one that we can answer in."""
        self._gate.admit(request.headers)
        _labels_in(json_in(request.body(largest=LARGEST)), "schema")
        return Reply({"model_version": self._weights.model_version()})

    def predict(self, request: Request) -> Reply:
        self._gate.admit(request.headers)
        asked = json_in(request.body(largest=LARGEST_PREDICT))
        tasks = _tasks_in(asked)
        return Reply(self._predictions.answer(tasks, _labels_in(asked, "label_config")))

    def webhook(self, request: Request) -> Reply:
        """Only kept; the platform acts on it later."""
        if self._gate.admit_webhook(request.headers):
            return self._signed_webhook(request)
        return Reply(webhooks.keep(self._store, json_in(request.body(largest=LARGEST))), 201)

    def _signed_webhook(self, request: Request) -> Reply:
        if not self._untrusted.acquire(blocking=False):
            raise later("Too many webhooks at once.", seconds=2)
        try:
            body = request.body(largest=LARGEST)
        finally:
            self._untrusted.release()
        self._gate.check_signature(request.headers, body)
        try:
            return Reply(webhooks.keep(self._store, json_in(body)), 201)
        except Refused:
            self._gate.forget(request.headers)
            raise


def _labels_in(asked: Json, key: str) -> Labels:
    config = asked.get(key)
    if not isinstance(config, str) or not config.strip():
        raise Refused(400, f"The request has no {key}: the project's label config, as text.")
    return read_labels(config)


def _tasks_in(asked: Json) -> list[Mapping[str, Any]]:
    tasks = asked.get("tasks")
    if not isinstance(tasks, list):
        raise Refused(400, "The request has no list of tasks.")
    if len(tasks) > MOST_TASKS:
        raise Refused(413, f"The request has more than {MOST_TASKS} tasks.")
    for number, task in enumerate(tasks):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise Refused(400, f"Task {number} of the list is not an object with data.")
    return tasks
