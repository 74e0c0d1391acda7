"""Errors to HTTP, in this one place: RFC 9457 problem details for machines, a page in plain words for people."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from shared.errors import StrandlineError
from shared.ids import random_key

log = logging.getLogger(__name__)
MACHINE_PATHS = ("/api/", "/sync/", "/metrics", "/health/", "/push/", "/outside/v1/")


class FieldProblem(BaseModel):
    """One value that could not be taken."""

    loc: str
    msg: str


class Problem(BaseModel):
    """RFC 9457 with the three things a person needs: what happened, what was kept, what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    kept: str = ""
    todo: str = ""
    again: bool = False
    errors: list[FieldProblem] = []


def is_machine() -> bool:
    """Whether the caller wants a problem document rather than a page."""
    return request.path.startswith(MACHINE_PATHS)


def answer(problem: Problem) -> Response:
    """The problem in the form the caller reads."""
    if is_machine():
        body = problem.model_dump_json(exclude_defaults=False)
        return current_app.response_class(body, problem.status, mimetype="application/problem+json")
    return current_app.response_class(render_template("error.html", problem=problem), problem.status)


def describe(error: StrandlineError) -> Problem:
    """One of our errors as a problem."""
    return Problem(
        type=f"urn:strandline:problem:{error.code}",
        title=type(error).__name__,
        status=error.status,
        detail=error.what,
        code=error.code,
        kept=error.kept,
        todo=error.todo,
        again=error.again,
    )


def on_strandline(error: StrandlineError) -> Response:
    """An error that was foreseen; one that names when to come back says so as HTTP does."""
    found = answer(describe(error))
    after_s = getattr(error, "after_s", 0.0)
    if after_s:
        found.headers["Retry-After"] = str(ceil(after_s))
    return found


def on_http(error: HTTPException) -> Response:
    """An error of HTTP itself: no such page, method not allowed, a body too large."""
    if error.response is not None:  # the validation callback aborts with a finished answer
        return current_app.make_response(error.response)
    status = error.code or 500
    found = answer(
        Problem(
            type="about:blank",
            title=error.name,
            status=status,
            detail=error.description or error.name,
            code=f"http.{status}",
            kept="Nothing was changed.",
            todo="Check the address." if status == 404 else "",
        )
    )
    found.headers.extend((name, value) for name, value in error.get_headers() if name not in ("Content-Type",))
    return found


def on_csrf(error: CSRFError) -> Response:
    """A form without the token of its session: too old, or sent from elsewhere."""
    return answer(
        Problem(
            type="urn:strandline:problem:web.csrf",
            title="Form not accepted",
            status=400,
            code="web.csrf",
            detail="This form does not belong to your session: it is too old, or it was sent from another place.",
            kept="Nothing was changed.",
            todo="Open the page again and send it from there; a program sends an API token instead.",
        )
    )


def on_invalid(error: ValidationError) -> Response:
    """A body or query that does not fit its model; called by flask-openapi."""
    problems = [FieldProblem(loc=".".join(map(str, e["loc"])), msg=e["msg"]) for e in error.errors()]
    return answer(
        Problem(
            type="urn:strandline:problem:api.invalid",
            title="Invalid request",
            status=422,
            code="api.invalid",
            detail="; ".join(f"{p.loc or 'body'}: {p.msg}" for p in problems),
            kept="Nothing was changed.",
            todo="Correct the named fields and send it again.",
            errors=problems,
        )
    )


def on_unforeseen(error: Exception) -> Response:
    """A fault of ours: logged whole under a number that the reader can quote."""
    number = random_key()[:8]
    log.error("unforeseen error %s on %s %s", number, request.method, request.path, exc_info=error)
    g.pop("form_error", None)
    return answer(
        Problem(
            type="urn:strandline:problem:web.fault",
            title="Fault",
            status=500,
            code="web.fault",
            detail=f"Something went wrong here that should not ({number}).",
            kept="What was recorded before stays recorded; this request changed nothing.",
            todo="Try again; if it happens again, tell the plant engineer this number.",
            again=True,
        )
    )


def install(app: Flask) -> None:
    """Register the handlers, the narrowest first."""
    handlers: tuple[tuple[type[Exception], Any], ...] = (
        (StrandlineError, on_strandline),
        (CSRFError, on_csrf),
        (HTTPException, on_http),
        (Exception, on_unforeseen),
    )
    for kind, handler in handlers:
        app.register_error_handler(kind, handler)
