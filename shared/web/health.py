"""Health for supervisors and load balancers: alive at all, and ready for work. Open, so they tell no secrets.

live   the process answers; it asks nothing of the database
ready  everything that recording and reading needs is there; a hub that is away is no reason not to be ready
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import read
from shared.disk import look
from shared.errors import StrandlineError
from shared.node import Node
from shared.web.context import public
from shared.web.problems import FieldProblem, Problem

Check = tuple[str, Callable[[], str]]
"""What is looked at, and a look that returns '' when it is in order, else what is missing in plain words."""

MINIMUM_FREE = "stop"
"""Level of the disk from which nothing is recorded."""


def make_health(checks: Sequence[Check]) -> Blueprint:
    """The two pages."""
    bp = Blueprint("health", __name__, url_prefix="/health")

    @bp.get("/live")
    @public
    def live() -> dict[str, str]:
        return {"status": "live"}

    @bp.get("/ready")
    @public
    def ready() -> Response | dict[str, str]:
        missing = [FieldProblem(loc=name, msg=said) for name, check in checks if (said := _ask(name, check))]
        if not missing:
            return {"status": "ready"}
        problem = Problem(
            type="urn:strandline:problem:health.not_ready",
            title="Not ready",
            status=503,
            code="health.not_ready",
            detail=" ".join(item.msg for item in missing),
            kept="What was recorded stays recorded.",
            todo="The log of this node says more.",
            again=True,
            errors=missing,
        )
        return current_app.response_class(problem.model_dump_json(), 503, mimetype="application/problem+json")

    return bp


def node_checks(node: Node) -> tuple[Check, ...]:
    """What every node needs."""

    def database() -> str:
        with read(node.engine) as conn:
            conn.execute(select(1)).scalar_one()
        return ""

    def disk() -> str:
        full = look(node.settings.folder).level == MINIMUM_FREE
        return "The disk is full: nothing is recorded." if full else ""

    return (("database", database), ("disk", disk))


def alive(name: str, is_alive: Callable[[], bool]) -> Check:
    """A thread that must run."""
    return name, lambda: "" if is_alive() else f"The part {name!r} does not run."


def _ask(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except (SQLAlchemyError, StrandlineError, OSError):
        return f"The {name} does not answer."
