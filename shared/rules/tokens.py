"""The little of the expression language's grammar that is needed outside its engine: tokens, and top-level operators."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+)
      | (?P<integer>\d+)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<op>&&|\|\||<=|>=|==|!=|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Token:
    """A piece of source text with its kind and where it starts."""

    kind: str
    text: str
    start: int


def tokens(source: str) -> Iterator[Token]:
    """All tokens of a source, white space included, so that joining their texts gives the source back."""
    for match in _TOKEN.finditer(source):
        yield Token(match.lastgroup or "op", match.group(), match.start())


def with_doubles(source: str) -> str:
    """The source with every integer literal turned into a double: `8 * Sn` becomes `8.0 * Sn`."""
    return "".join(token.text + ".0" if token.kind == "integer" else token.text for token in tokens(source))


@lru_cache(maxsize=4_000)  # asked at every explanation, of the few sources that rules in force have
def names(source: str) -> tuple[str, ...]:
    """The names a source mentions, each once, in the order of first mention."""
    return tuple(dict.fromkeys(token.text for token in tokens(source) if token.kind == "name"))


def split_top(source: str, operators: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Parts of a source between those operators outside all brackets, and the operators found."""
    parts, found, depth, begin = [], [], 0, 0
    for token in tokens(source):
        depth += (token.text in _OPENING) - (token.text in _CLOSING) if token.kind == "op" else 0
        if depth == 0 and token.kind == "op" and token.text in operators:
            parts.append(source[begin : token.start].strip())
            found.append(token.text)
            begin = token.start + len(token.text)
    return [*parts, source[begin:].strip()], found


def without_outer_brackets(source: str) -> str:
    """The inside of `( ... )` where that pair encloses everything, else the source as it is."""
    text = source.strip()
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for token in tokens(text):
        depth += (token.text == "(") - (token.text == ")") if token.kind == "op" else 0
        if depth == 0 and token.start < len(text) - 1:
            return text
    return text[1:-1].strip()
