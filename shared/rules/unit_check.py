"""Which unit an expression comes to: metres and kilograms are not added, and speed times time is a length.

A recursive descent over the expression language's operators. The engine has checked types and grammar before, so this
reads only what it accepts. A literal number takes the unit of what it stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.rules.measures import Measure, UnitError, product
from shared.rules.tokens import Token, tokens

_LEVELS = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_COMPARED, _ADDED = 2, 3


@dataclass(frozen=True)
class Anything:
    """No figure with a unit: a literal, a text, a flag."""


ANY = Anything()
Found = Measure | Anything


def unit_of(source: str, measures: Mapping[str, Measure]) -> Found:
    """The expression's measure, ANY where it has none of its own; UnitError names what does not fit.

    measures: those of the number variables; other names are texts and flags.
    """
    reader = _Reader([t for t in tokens(" ".join(source.splitlines())) if t.kind != "space"], measures)
    return reader.choice()


class _Reader:
    def __init__(self, found: list[Token], measures: Mapping[str, Measure]) -> None:
        self._tokens = found
        self._at = 0
        self._measures = measures

    def choice(self) -> Found:
        """condition ? a : b"""
        first = self._level(0)
        if not self._take("?"):
            return first
        one = self.choice()
        self._take(":")
        return _same(one, self.choice(), "chooses between")

    def _level(self, level: int) -> Found:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while (op := self._next(_LEVELS[level])) is not None:
            left = _joined(level, op, left, self._level(level + 1))
        return left

    def _unary(self) -> Found:
        while self._next(("-", "!")) is not None:
            pass
        return self._after(self._primary())

    def _primary(self) -> Found:
        if self._at >= len(self._tokens):
            return ANY
        token = self._tokens[self._at]
        self._at += 1
        if token.text in ("(", "[", "{"):
            found = self._inside()
            return found if token.text == "(" else ANY
        if token.text == "math" and self._take("."):
            self._at += 1  # round, least and their like: what they give is of the unit of what they are given
            return self._alike() if self._take("(") else ANY
        if token.kind == "name" and not self._is("("):
            return self._measures.get(token.text, ANY)
        if token.kind == "name" and self._take("("):
            found = self._inside()
            return found if token.text == "double" else ANY
        return ANY

    def _after(self, found: Found) -> Found:
        """Members, calls and indices behind a value: what they give has no unit of ours."""
        while (op := self._next((".", "(", "["))) is not None:
            if op == ".":
                self._at += 1
            else:
                self._inside()
            found = ANY
        return found

    def _alike(self) -> Found:
        """The one measure of all arguments."""
        found: Found = ANY
        for argument in self._arguments():
            found = _same(found, argument, "compares")
        return found

    def _inside(self) -> Found:
        """The measure of the first of the arguments."""
        found = self._arguments()
        return found[0] if found else ANY

    def _arguments(self) -> list[Found]:
        """All up to the closing bracket."""
        found: list[Found] = []
        while self._at < len(self._tokens) and self._next((")", "]", "}")) is None:
            before = self._at
            found.append(self.choice())
            self._next((",", ":"))
            if self._at == before:
                self._at += 1
        return found

    def _is(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == text

    def _take(self, text: str) -> bool:
        return self._next((text,)) is not None

    def _next(self, texts: tuple[str, ...]) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at].text in texts:
            self._at += 1
            return self._tokens[self._at - 1].text
        return None


def _joined(level: int, op: str, left: Found, right: Found) -> Found:
    if level < _COMPARED:
        return ANY
    if level == _COMPARED:
        _same(left, right, "compares")
        return ANY
    if level == _ADDED or op == "%":
        found = _same(left, right, "subtracts" if op == "-" else "adds")
        if op == "-" and isinstance(left, Measure) and isinstance(right, Measure) and left.offset:
            raise UnitError(f"it subtracts temperatures in {left.name}; a difference has no such unit, use C")
        return found
    if isinstance(left, Measure) and isinstance(right, Measure):
        return product(left, right, 1 if op == "*" else -1)
    if isinstance(right, Measure) and op == "/":
        return product(Measure(""), right, -1)
    return left if isinstance(left, Measure) else right


def _same(left: Found, right: Found, does: str) -> Found:
    if isinstance(left, Measure) and isinstance(right, Measure):
        if not left.is_same(right):
            names = f"{left.name or 'no unit'} and {right.name or 'no unit'}"
            raise UnitError(f"it {does} {names}; figures in one expression have one unit")
        return left
    return left if isinstance(left, Measure) else right
