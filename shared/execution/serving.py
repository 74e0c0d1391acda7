"""Whether a grade may serve an order of another: as the substitution standards in force say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.standards.product_kinds import Substitute, Substitution


@dataclass(frozen=True)
class Serving:
    """The answer. may: it may serve; downgrade: only with the loss of its own name; order: 0 for its own grade, then as
    the standard ranks it; said_by: the standard, empty where none speaks of these grades."""

    may: bool
    why: str
    said_by: str = ""
    order: int = 0
    downgrade: bool = False


def serving(substitutions: Sequence[Substitution], has: str, wanted: str) -> Serving:
    """Whether a piece of grade `has` may serve an order for `wanted`.

    A standard refuses only among grades that it names: of an internal grade that it does not know it says nothing, and
    then people decide as before.
    """
    if has == wanted or not has or not wanted:
        return Serving(True, "its own grade")
    for document in substitutions:
        found = next((s for s in document.substitutes if (s.grade, s.by) == (wanted, has)), None)
        if found is not None:
            return _allowed(document, found)
    for document in substitutions:
        named = {grade for s in document.substitutes for grade in (s.grade, s.by)}
        if {has, wanted} <= named:
            may = ", ".join(s.by for s in sorted(document.substitutes, key=lambda s: s.order) if s.grade == wanted)
            why = f"{has} does not serve for {wanted}: {f'only {may} does' if may else 'no other grade does'}"
            return Serving(False, why, f"{document.id} v{document.version}")
    return Serving(True, f"no standard in force says whether {has} serves for {wanted}")


def _allowed(document: Substitution, found: Substitute) -> Serving:
    how = "as a downgrade" if found.downgrade else f"in place {found.order}"
    note = f": {found.note}" if found.note else ""
    why = f"{found.by} serves for {found.grade} {how}{note}"
    return Serving(True, why, f"{document.id} v{document.version}", found.order, found.downgrade)
