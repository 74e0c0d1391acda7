"""What all JSON bodies have in common: names that must be known, times that a calendar has, JSON as RFC 8259 has it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any, NoReturn

from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ConfigDict, Field

MOMENT_MAX_MS = 4_102_444_800_000
"""The year 2100: a time beyond it is a slip of units, and no page could show it."""
WHOLE_MAX = 2**63 - 1
"""What the databases hold."""

Moment = Annotated[int, Field(ge=0, le=MOMENT_MAX_MS, description="ms since 1970 UTC")]


class Asked(BaseModel):
    """Base of what a request carries in its path, its query or its body: made ready when it is first asked for, because
    a node has a hundred of them and few start with a request."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Made once without arguments: the library reads it at each request, to see which names are lists."""
        return super().model_json_schema(*args, **kwargs) if args or kwargs else _plain_schema(cls)


@lru_cache(maxsize=500)
def _plain_schema(asked: type[Asked]) -> dict[str, Any]:
    return super(Asked, asked).model_json_schema()


class Body(Asked):
    """Base of JSON bodies: a name it does not know is refused, because a misspelt one would silently not count."""

    model_config = ConfigDict(extra="forbid")


class StrictJson(DefaultJSONProvider):
    """Reads JSON without what Python adds to it (NaN, Infinity, integers and depth without end), and without what means
    nothing for certain: a name given twice, half of a character."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """ValueError for anything that no table could keep."""
        try:
            found = json.loads(
                s,
                parse_constant=_no_number,
                parse_int=_whole,
                parse_float=_finite,
                object_pairs_hook=_no_repeats,
                **kwargs,
            )
            json.dumps(found, ensure_ascii=False).encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
            return found
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _whole(text: str) -> int:
    value = int(text)
    if abs(value) > WHOLE_MAX:
        raise ValueError(f"{text[:20]}… has too many digits")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError(f"{text[:20]} is too large")
    return value
