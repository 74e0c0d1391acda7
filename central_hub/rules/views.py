"""Pages of the rules over arriving facts: what they said and what is to be done, and one decision with its inputs."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.rules import service
from central_hub.rules.api import WORKERS, api
from shared.rules.vocabulary import INTERNAL_PER_UNIT
from shared.standards.group_rule import variables_about
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("group_rules", __name__, template_folder="templates")
SHOWN = 60


@bp.get("/group-rules")
def decisions() -> str:
    """What the rules said lately, and which are asked."""
    with reading() as conn:
        found, rules = service.read_decisions(conn, hub(), SHOWN), service.list_rules(conn, hub())
    return render_template("group_rules/decisions.html", found=found, rules=rules)


@bp.get("/group-rules/<decision_id>")
def decision(decision_id: str) -> str:
    """One decision: inputs, what was counted, what people do, and the same asked again."""
    with reading() as conn:
        found = service.read_decision(conn, hub(), decision_id)
        again = service.ask_again(conn, found)
        rules = {rule.id: rule for rule, _ in service.list_rules(conn, hub())}
        names = names_of(conn, {task.done_by for task in found.tasks if task.done_by})
    known = variables_about(rules[found.rule_id].about) if found.rule_id in rules else {}
    inputs = [
        (name, _in_unit(value, known[name].unit) if name in known else value, known[name].unit if name in known else "")
        for name, value in found.inputs.items()
    ]
    same = again is not None and (again.outcome, again.reason) == (found.outcome, found.explanation)
    return render_template("group_rules/decision.html", d=found, inputs=inputs, same=same, names=names)


@bp.post("/group-rules/<decision_id>/tasks/<int:action>")
@requires(*WORKERS)
@forms.keeps_input(lambda decision_id, action: decision(decision_id))
def finish(decision_id: str, action: int) -> BaseResponse:
    """A step of its workflow is done."""
    note = forms.read_text("note", "Note", needed=False)
    service.finish(hub(), decision_id, action, note, actor(), forms.command_id())
    flash("Done, and written down with your name.")
    return redirect(url_for("group_rules.decision", decision_id=decision_id))


def _in_unit(value: int | float | str, unit: str) -> str:
    return value if isinstance(value, str) else f"{value / INTERNAL_PER_UNIT.get(unit, 1):g}"


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Standards", "Group rules", "group_rules.decisions"),))
