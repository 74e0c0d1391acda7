"""Many people from a file: persons with passwords, programs with tokens alone, and files that say neither."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadSetup
from shared.node import create_tables
from shared.settings import WebSettings
from shared.web.accounts import find_by_token, sign_in
from shared.web.people_file import add_people, read_people

ROLES = {"operator": "books what was made"}
PERSON = '[[person]]\nlogin = "op"\nname = "Op"\nroles = ["operator"]\npassword = "long enough to type"\n'
PROGRAM = '[[person]]\nlogin = "scale"\nname = "Scale 3"\nroles = ["operator"]\ntoken = "weighings"\n'


def test_a_person_signs_in_and_a_program_only_acts_by_its_token(
    engine: Engine, clock: FixedClock, tmp_path: Path
) -> None:
    create_tables(engine)
    file = tmp_path / "people.toml"
    file.write_text(PERSON + PROGRAM)
    with write(engine) as conn:
        tokens = dict(add_people(conn, clock, read_people(file), ROLES))
    assert tokens.keys() == {"scale"}
    with read(engine) as conn:
        program = find_by_token(conn, tokens["scale"])
    assert program is not None
    assert program.may(("operator",))
    limits = WebSettings.model_validate({})
    assert sign_in(engine, clock, limits, "op", "long enough to type") is not None
    assert sign_in(engine, clock, limits, "scale", "") is None
    assert sign_in(engine, clock, limits, "scale", "long enough to type") is None


@pytest.mark.parametrize(
    "text",
    [
        '[[person]]\nlogin = "x"\nname = "X"\nroles = ["operator"]\n',
        PERSON + 'colour = "red"\n',
        '[[person]]\nlogin = "x"\npassword = "long enough to type"\n',
        "not = [toml",
    ],
    ids=["no-proof", "unknown-key", "no-roles", "no-toml"],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anybody_is_added(text: str, tmp_path: Path) -> None:
    file = tmp_path / "people.toml"
    file.write_text(text)
    with pytest.raises(BadSetup) as refused:
        read_people(file)
    assert str(file) in str(refused.value)
