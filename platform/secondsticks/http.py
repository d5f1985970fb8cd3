"""What is the same for every page: is the server alive, is it ready, and what to say when something broke."""

import logging
import sys

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

DATABASE_AWAY = "The database is away for a moment. Nothing is lost: try again in a few seconds."
BROKEN = "Something broke on our side. It is in the server's log; nothing that was saved is lost."

LOCKED_OUT = "Too many wrong passwords for this name from this address: wait 15 minutes, or ask an admin."


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers, whatever the state of the database."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether people can be served: 200, or 503 while the database is away."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ready\n", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: 503 with Retry-After while the database is away; JSON to whoever asks for JSON.

    A handler and not a middleware, because the database may also go away inside the session middleware.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    response = sentence_page(request, DATABASE_AWAY if away else BROKEN, status=503 if away else 500)
    if away:
        response["Retry-After"] = "3"
    return response


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Answer a sign-in that axes refuses after too many wrong passwords."""
    return sentence_page(request, LOCKED_OUT, status=429)


def one_line_while_away(record: logging.LogRecord) -> bool:
    """Logging filter: a database that is away is said in one line, not in forty per request."""
    if record.exc_info and isinstance(record.exc_info[1], OperationalError | InterfaceError):
        record.exc_info = record.exc_text = None
        record.msg, record.args = f"{record.getMessage()} (no database)", ()
    return True


def sentence_page(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    """Answer with one sentence. The page asks nothing of the session or the database: they may be away."""
    if not request.accepts("text/html"):
        return JsonResponse({"error": sentence}, status=status)
    return HttpResponse(render_to_string("sentence.html", {"sentence": sentence}), status=status)
