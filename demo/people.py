"""People of the demo group (scenario section 12) and the programs that act for them. One password: this is a demo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "strandline-demo"
DESK = "desk"
"""The login whose token the simulator uses for everything that people and Level 4 do at a plant."""


@dataclass(frozen=True)
class Person:
    """Login, name, roles; token = title of an API token, none when empty; signs_in = has a password too."""

    login: str
    name: str
    roles: tuple[str, ...]
    token: str = ""
    signs_in: bool = True


EVERYTHING = ("operator", "yard", "quality", "lead", "engineer", "planner")
PROGRAMS = {
    "HUB": (
        Person("author.quality", "Ines Falk", ("author",), "demo"),
        Person("approver.quality", "Tomas Reyl", ("approver",), "demo"),
        Person(DESK, "Demo desk", ("logistics", "owner", "engineer", "auditor"), "demo", signs_in=False),
    ),
    "ALD": (Person(DESK, "Demo desk", EVERYTHING, "demo", signs_in=False),),
    "BRK": (Person(DESK, "Demo desk", EVERYTHING, "demo", signs_in=False),),
    "CLD": (Person(DESK, "Demo desk", EVERYTHING, "demo", signs_in=False),),
}
PEOPLE = {
    "HUB": (
        Person("logistics.group", "Maren Oost", ("logistics",)),
        Person("owner.group", "Piet Halloran", ("owner",)),
        Person("auditor", "Rosa Lindh", ("auditor",)),
    ),
    "ALD": (
        Person("operator.cc1", "Jan Wolny", ("operator", "yard")),
        Person("quality.ald", "Ewa Brandt", ("quality",)),
        Person("engineer.ald", "Marek Sobel", ("engineer",)),
    ),
    "BRK": (
        Person("operator.hsm", "Uwe Kranz", ("operator",)),
        Person("yard.brk", "Dagmar Voss", ("yard",)),
        Person("lead.brk", "Henning Alb", ("lead", "planner")),
    ),
    "CLD": (
        Person("operator.cg1", "Owen Tarle", ("operator",)),
        Person("gate.cld", "Nia Prosser", ("yard",)),
        Person("quality.cld", "Beth Calder", ("quality",)),
    ),
}


def write_file(path: Path, people: Sequence[Person]) -> None:
    """The file that `strandline ... people-add` reads; only its owner may."""
    path.touch(mode=0o600)
    path.write_text("\n".join(_entry(person) for person in people))


def _entry(person: Person) -> str:
    values: dict[str, object] = {"login": person.login, "name": person.name, "roles": list(person.roles)}
    if person.signs_in:
        values["password"] = PASSWORD
    if person.token:
        values["token"] = person.token
    return "\n".join(["[[person]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]) + "\n"
