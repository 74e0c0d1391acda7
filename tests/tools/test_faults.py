"""The faults that a mutation run tries: each changes the module, and nothing that is not run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.faults import faults

ROOT = Path(__file__).parents[2]

MODULE = '''"""Words."""
LIMIT = 3
def late(at: "int", rows: list[int]) -> bool:
    """More words."""
    if at + 1 > LIMIT and not rows:
        rows.append(at)
        return True
    return False
'''


def test_each_kind_of_fault_is_made_once_in_its_place() -> None:
    made = {(line, what) for line, what, _ in faults(MODULE)}
    assert made == {
        (2, "3 becomes 4"),
        (5, "Gt becomes GtE"),
        (5, "And becomes Or"),
        (5, "Add becomes Sub"),
        (5, "1 becomes 2"),
        (5, "the negation is lost"),
        (5, "the condition is turned round"),
        (6, "the call is left out"),
        (7, "returns nothing"),
        (7, "True becomes False"),
        (8, "returns nothing"),
        (8, "False becomes True"),
    }


@pytest.mark.parametrize("name", ["shared/journal/verify.py", "sync/backoff.py", "shared/transfers/projection.py"])
def test_every_fault_of_a_real_module_is_a_different_module_that_can_be_read(name: str) -> None:
    text = (ROOT / name).read_text()
    sound = ast.unparse(ast.parse(text))
    made = [make() for _, _, make in faults(text)]
    assert len(made) > 5
    assert sound not in made
    assert all(ast.parse(one) for one in made)


PEOPLE = """
log = get("door")
ENTRIES_AT_ONCE = 500
NAME_MAX = 64
def open_door(size: int, name: str) -> str:
    log.warning("slow", size=size + 1)
    threading.Thread(target=run, name="door", daemon=True).start()
    if size > 9:
        raise Refused("door.size", f"{size - 9}", todo="wait", again=True)
    return f"{name[:12]} is open"
"""


def test_what_is_only_told_to_people_and_what_is_only_tuning_has_no_faults() -> None:
    assert {(line, what) for line, what, _ in faults(PEOPLE)} == {
        (4, "64 becomes 65"),
        (7, "the call is left out"),
        (7, "True becomes False"),
        (8, "Gt becomes GtE"),
        (8, "9 becomes 10"),
        (9, "'door.size' becomes another text"),
        (9, "True becomes False"),
        (10, "returns nothing"),
    }
