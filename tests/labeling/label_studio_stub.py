"""A small Label Studio: the calls of our sync, answered as 1.23.2 answers them, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "0123456789abcdef0123456789abcdef01234567"
AUTHOR = "kim@labels.example.org"
Rows = dict[int, dict[str, Any]]


class Stub:
    """What the server holds. `fault`: "401", "legacy", "500", "302", "slow" or "html"."""

    def __init__(self) -> None:
        self.projects: Rows = {}
        self.views: Rows = {}
        self.webhooks: Rows = {}
        self.backends: Rows = {}
        self.tasks: Rows = {}
        self.annotations: Rows = {}
        self.predictions: Rows = {}
        self.fault = ""
        self.ml_works = True
        self.calls: list[str] = []
        self._numbers = count(1)
        self.url = ""

    def kept(self, rows: Rows, **row: Any) -> dict[str, Any]:
        number = next(self._numbers)
        rows[number] = {"id": number, **row}
        return rows[number]

    def add_task(self, project: int, data: dict, predictions: list[dict]) -> int:
        number = max(self.tasks, default=0) + 1  # Label Studio on SQLite: numbers come again
        self.tasks[number] = {"id": number, "project": project, "data": data}
        for one in predictions:
            self.kept(self.predictions, task=number, project=project, **one)
        return number

    def drop_task(self, number: int) -> None:
        """As if somebody had deleted it there, with all that hangs on it."""
        del self.tasks[number]
        for rows in (self.annotations, self.predictions):
            for row in [one for one in rows.values() if one["task"] == number]:
                del rows[row["id"]]

    def annotate(self, key: str, result: list | None = None, **fields: Any) -> int:
        """Somebody answers for a frame, as the export tells it."""
        task = next(one["id"] for one in self.tasks.values() if one["data"].get("frame_key") == key)
        known = {"result": result or [], "was_cancelled": False, "lead_time": 4.541, "completed_by": 7}
        return self.kept(self.annotations, task=task, updated_at=now(), **(known | fields))["id"]

    def change(self, annotation: int, **fields: Any) -> None:
        self.annotations[annotation] |= {"updated_at": now(), **fields}

    def export(self, project: int) -> list[dict]:
        return [
            {
                "id": task["id"], "data": task["data"], "project": project, "meta": {},
                "drafts": task.get("drafts", []),
                "annotations": [one for one in self.annotations.values() if one["task"] == task["id"]],
                "predictions": [one["id"] for one in self.predictions.values() if one["task"] == task["id"]],
            }
            for task in self.tasks.values()
            if task["project"] == project
        ]  # fmt: skip


def now() -> str:
    time.sleep(0.001)
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


class NotThere(Exception):
    pass


def answer(stub: Stub, method: str, path: str, query: dict, body: Any) -> Any:
    for pattern, respond in ROUTES:
        found = re.fullmatch(pattern, path.rstrip("/"))
        if found:
            return respond(stub, method, [int(part) for part in found.groups()], query, body or {})
    raise NotThere(path)


def rows_of(name: str, *, paged: bool = False, by_project: bool = True) -> Callable:
    def respond(stub: Stub, method: str, numbers: list[int], query: dict, body: Any) -> Any:
        rows: Rows = getattr(stub, name)
        if method == "POST":
            if name == "backends" and not stub.ml_works:
                raise ValueError("Can't connect to ML backend")
            if name == "backends":
                stub.projects[body["project"]]["model_version"] = body["title"]
                stub.kept(stub.webhooks, url=f"{body['url']}/webhook", project=body["project"], headers={})
            return stub.kept(rows, **{"state": "CO"} if name == "backends" else {}, **body)
        wanted = query.get("project")
        found = [
            row for row in rows.values() if not (by_project and wanted) or str(row["project"]) == wanted[0]
        ]
        return {"count": len(found), "next": None, "previous": None, "results": found} if paged else found

    return respond


def row_of(name: str) -> Callable:
    def respond(stub: Stub, method: str, numbers: list[int], query: dict, body: Any) -> Any:
        rows: Rows = getattr(stub, name)
        if numbers[0] not in rows:
            raise NotThere(name)
        if method == "DELETE":
            return rows.pop(numbers[0]) and None
        rows[numbers[0]] |= body if method == "PATCH" else {}
        return rows[numbers[0]]

    return respond


def import_tasks(stub: Stub, method: str, numbers: list[int], query: dict, body: list[dict]) -> dict:
    made = [stub.add_task(numbers[0], one["data"], one.get("predictions") or []) for one in body]
    return {"task_count": len(made), "task_ids": made, "annotation_count": 0, "duration": 0.1}


def import_predictions(stub: Stub, method: str, numbers: list[int], query: dict, body: list[dict]) -> dict:
    for one in body:
        stub.kept(stub.predictions, project=numbers[0], **one)
    return {"created": len(body)}


ROUTES: list[tuple[str, Callable]] = [
    (r"/api/version", lambda *_: {"release": "1.23.2", "edition": "Community"}),
    (r"/api/current-user/whoami", lambda *_: {"id": 7, "email": AUTHOR}),
    (
        r"/api/users",
        lambda *_: [{"id": 7, "email": AUTHOR, "username": "kim", "avatar": "", "initials": "ki"}],
    ),
    (r"/api/projects", rows_of("projects", paged=True, by_project=False)),
    (r"/api/projects/(\d+)", row_of("projects")),
    (r"/api/projects/(\d+)/import", import_tasks),
    (r"/api/projects/(\d+)/import/predictions", import_predictions),
    (r"/api/projects/(\d+)/export", lambda stub, _, numbers, *__: stub.export(numbers[0])),
    (r"/api/dm/views", rows_of("views")),
    (r"/api/dm/views/(\d+)", row_of("views")),
    (r"/api/webhooks", rows_of("webhooks")),
    (r"/api/webhooks/(\d+)", row_of("webhooks")),
    (r"/api/ml", rows_of("backends")),
    (r"/api/ml/(\d+)", row_of("backends")),
    (r"/api/tasks/(\d+)", row_of("tasks")),
    (r"/api/predictions", rows_of("predictions")),
]


@contextmanager
def served(stub: Stub) -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            asked = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stub.calls.append(f"{self.command} {asked.path}")
            status, said = self.said(asked, content)
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(said, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def said(self, asked: Any, content: bytes) -> tuple[int, Any]:
            if stub.fault == "slow":
                time.sleep(1.5)
            if stub.fault == "html":
                return 200, "<html>Some other site</html>"
            if stub.fault == "500":
                return 500, {"detail": "broken"}
            if stub.fault == "302":
                return 302, ""
            if stub.fault == "legacy":
                return 401, {"detail": "legacy token authentication has been disabled"}
            if stub.fault == "401" or self.headers.get("Authorization") != f"Token {TOKEN}":
                return 401, {"detail": "Invalid token."}
            try:
                body = json.loads(content) if content else None
                return 200, answer(stub, self.command, asked.path, parse_qs(asked.query), body)
            except NotThere:
                return 404, {"detail": "Not found."}
            except ValueError as error:
                return 400, {"detail": str(error)}

        do_GET = do_POST = do_PATCH = do_DELETE = respond

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
