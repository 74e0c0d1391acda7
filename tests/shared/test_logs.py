"""Logs: one JSON object a line whoever writes it, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from shared import logs
from shared.db.engine import write


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("restored")
def test_a_line_break_in_an_address_makes_no_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("shared.web.problems").error("unforeseen error on %s", "/x\nERROR all is well")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["event"].endswith("all is well")


@pytest.mark.usefixtures("restored")
def test_a_failed_statement_is_logged_without_its_values(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    secret = "-".join(("hush", "hush"))
    try:
        with write(engine) as conn:
            conn.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": secret})
    except SQLAlchemyError:
        logging.getLogger("web").exception("failed")
    said = json.loads(capsys.readouterr().err)
    assert "nowhere" in said["exception"]
    assert secret not in json.dumps(said)


@pytest.mark.usefixtures("restored")
def test_a_stream_closed_since_set_up_does_not_fail_what_is_logged_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", earlier)
        logs.set_up()
    earlier.close()
    logs.get("room").info("another try")
    assert json.loads(capsys.readouterr().err)["event"] == "another try"
