"""Pages of uncertain identities: the open sets, a new one, a nameless piece; and the screen that says which is which."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.production import errors, identity
from local_mes.production.identity_api import MAY
from local_mes.production.identity_api import bp as api
from local_mes.production.person import Command
from shared.material.identity_api import as_json
from shared.material.identity_queries import find_set, list_sets
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, find_number, keeps_input, read_choice, read_number, read_text

bp = Blueprint("identity", __name__, url_prefix="/production/identity", template_folder="templates")
KINDS = (("slab", "Slab"), ("coil", "Coil"), ("slit", "Slit coil"))
BORNE = (
    ("labels", "Labels are on the wrong pieces: the numbers go with the steel"),
    ("bookings", "Only bookings were mixed up: each piece keeps its number"),
)
SETS_SHOWN = 50
MS_PER_MIN = 60_000


@bp.get("/")
def sets() -> str:
    """The sets, the open ones first."""
    with reading() as conn:
        found = [as_json(conn, row) for row in list_sets(conn, author=node().code, limit=SETS_SHOWN)]
    found.sort(key=lambda one: one["state"] != "open")
    return render_template("production/identity.html", sets=found, kinds=KINDS, may=MAY)


@bp.post("/doubt")
@requires(*MAY)
@keeps_input(sets)
def post_doubt() -> BaseResponse:
    """Put pieces into a set."""
    minutes = find_number("since_min", "Since", least=0, most=30 * 24 * 60, unit="min") or 0
    asked = identity.Doubt(
        tuple(read_text("candidates", "Pieces", most=4_000).split()),
        read_text("place", "Place", most=64, needed=False),
        read_text("reason", "Reason"),
        (),
        node().clock.now_ms() - minutes * MS_PER_MIN,
    )
    said = identity.doubt(plant(), _command(), asked)
    flash("They are held until somebody says which is which.")
    return redirect(url_for("identity.one_set", set_id=said["set_id"]))


@bp.post("/nameless")
@requires(*MAY)
@keeps_input(sets)
def post_nameless() -> BaseResponse:
    """Take in a piece that nobody knows."""
    asked = identity.Nameless(
        read_choice("kind", "Kind", dict(KINDS)),
        read_text("place", "Place", most=64),
        read_number("mass_kg", "Mass", least=1, most=400_000, unit="kg", scale=1000),
    )
    said = identity.take_in_nameless(plant(), _command(), asked)
    flash(f"It is {said['number']} until it is identified.", "done")
    return redirect(url_for("pieces.piece", number=said["material_id"]))


@bp.post("/identify")
@requires("lead", "quality")
@keeps_input(sets)
def post_identify() -> BaseResponse:
    """A nameless piece is a known one."""
    words = [
        read_text(name, label)
        for name, label in (("number", "Nameless piece"), ("known_as", "It is"), ("evidence", "Evidence"))
    ]
    said = identity.identify(plant(), _command(), *words)
    flash(f"{said['was']} is {said['number']}.", "done")
    return redirect(url_for("pieces.piece", number=said["material_id"]))


@bp.get("/<set_id>")
def one_set(set_id: str) -> str:
    """The candidates with what is known of each, and for each number a choice."""
    shown = _read(set_id)
    with reading() as conn:
        people = names_of(conn, {shown["doubted_by"], shown["resolved_by"]})
    return render_template("production/identity_set.html", found=shown, people=people, borne=BORNE)


@bp.post("/<set_id>")
@requires("lead", "quality")
@keeps_input(one_set)
def post_resolve(set_id: str) -> BaseResponse:
    """Say which is which."""
    numbers = _read(set_id)["numbers"]
    said = {number: request.form.get(f"is_{at}", "") for at, number in enumerate(numbers)}
    labels = read_choice("borne", "What was wrong", dict(BORNE)) == "labels"
    done = identity.resolve(plant(), _command(), set_id, said, read_text("evidence", "Evidence"), labels=labels)
    flash(f"Resolved: {len(done['moved'])} pieces were others than booked.", "done")
    return redirect(url_for("identity.sets"))


def _read(set_id: str) -> dict[str, Any]:
    with reading() as conn:
        row = find_set(conn, node().code, set_id)
        if row is None:
            raise errors.unknown_set(set_id)
        return as_json(conn, row)


def _command() -> Command:
    return Command(command_id(), actor())


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Identities in doubt", "identity.sets"),))
