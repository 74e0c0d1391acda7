"""The small faults that tools.mutate tries: one changed comparison, operator, constant, condition or return each.

Left alone, because such a change is no fault: nothing that the product promises depends on it.

* what is not run: docstrings, annotations, decorators, class keywords, __all__;
* words for people: a text with a space in it, whatever stands inside such an f-string, what a raised error says after
  its code, a call of the log, the name of a logger or of a thread;
* how much is done at once and how long is waited, where every value has the same outcome: constants of a module that
  are called ..._AT_ONCE, ..._A_QUERY or ..._S. Limits that a peer or a person can meet have other names.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

Change = Callable[[ast.AST], None]

COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
}
OPERATORS: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.FloorDiv(),
    ast.FloorDiv: ast.Mult(),
    ast.BitAnd: ast.BitOr(),
    ast.BitOr: ast.BitAnd(),
}


def faults(text: str) -> list[tuple[int, str, Callable[[], str]]]:
    """(line, what, make) of every fault that can be put into a module; make() gives the module's text with it."""
    places = enumerate(_places(ast.parse(text)))
    return [(node.lineno, what, partial(_with, text, at)) for at, (node, what, _) in places]


def _with(text: str, at: int) -> str:
    tree = ast.parse(text)
    node, _, change = list(_places(tree))[at]
    change(node)
    return ast.unparse(tree)


def _places(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str, Change]]:
    silent = _left_alone(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt) and node not in silent:
            yield from ((node, what, change) for what, change in _changes(node))


TUNING = ("_AT_ONCE", "_A_QUERY", "_S")
WORDING = ("kept", "todo")
"""Keywords of the product's errors that are sentences."""


def _left_alone(tree: ast.Module) -> set[ast.AST]:
    """Every node of what the module's docstring says is left alone."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        for part in (*_not_run(node), *_for_people(node), *_tuning(node)):
            found.update(ast.walk(part))
    return found


def _not_run(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, annotations and declarations: a fault there is none, or stops every import."""
    for name in ("annotation", "returns"):
        note = getattr(node, name, None)
        if isinstance(note, ast.AST):
            yield note
    yield from getattr(node, "decorator_list", [])
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="__all__")]):
            yield node
        case ast.ClassDef(keywords=keywords):
            yield from keywords


def _for_people(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.JoinedStr(values=parts) if any(isinstance(p, ast.Constant) and " " in str(p.value) for p in parts):
            yield node
        case ast.Raise(exc=ast.Call(args=[_, *said], keywords=keywords)):
            yield from said
            yield from (k for k in keywords if k.arg in WORDING)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            yield node
        case ast.Assign(targets=[ast.Name(id="log")]):
            yield node
        case ast.Call(func=ast.Attribute(attr="Thread"), keywords=keywords):
            yield from (k for k in keywords if k.arg == "name")


def _tuning(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.endswith(TUNING):
            yield value


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, Change]]:
    yield from _in_operators(node)
    yield from _in_constants(node)
    yield from _in_steps(node)


def _in_operators(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=[op, *more]) if type(op) in COMPARISONS:
            new = COMPARISONS[type(op)]
            yield f"{_name(op)} becomes {_name(new)}", lambda n: setattr(n, "ops", [new, *more])
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{_name(op)} becomes {_name(other)}", lambda n: setattr(n, "op", other)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            turned = OPERATORS[type(op)]
            yield f"{_name(op)} becomes {_name(turned)}", lambda n: setattr(n, "op", turned)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() as op, operand=operand):
            yield "the negation is lost", lambda n: setattr(n, "operand", ast.UnaryOp(op, operand))


def _in_constants(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Constant(value=bool() as value):
            yield f"{value} becomes {not value}", lambda n: setattr(n, "value", not value)
        case ast.Constant(value=int() as number):
            yield f"{number} becomes {number + 1}", lambda n: setattr(n, "value", number + 1)
        case ast.Constant(value=str() as words) if words and " " not in words:
            yield f"{words[:30]!r} becomes another text", lambda n: setattr(n, "value", f"{words}XX")


def _in_steps(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "returns nothing", lambda n: setattr(n, "value", ast.Constant(None))
        case ast.If(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield "the condition is turned round", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), test))
        case ast.Expr(value=ast.Call()):
            yield "the call is left out", lambda n: setattr(n, "value", ast.Constant(None))


def _name(op: ast.AST) -> str:
    return type(op).__name__
