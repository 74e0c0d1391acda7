"""Lists that page: the state is in the address, the cursor is the last key seen, and the limit is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import Field

from shared.errors import BadInput
from shared.web.body import Asked

T = TypeVar("T")
PAGE_ROWS = 50
PAGE_ROWS_MAX = 1000
CSV_ROWS_MAX = 100_000
"""A CSV is read page by page and ends here: a year of one plant's coils fits, the memory of a plant server too."""


class PageQuery(Asked):
    """Query part of every JSON list."""

    after: str = Field("", max_length=200, description="cursor: `next` of the page before")
    limit: int = Field(PAGE_ROWS, ge=1, le=PAGE_ROWS_MAX)


@dataclass(frozen=True, slots=True)
class Paging:
    """What part of a list is wanted, in which order, under which filters."""

    after: str = ""
    limit: int = PAGE_ROWS
    sort: str = ""
    descending: bool = False
    filters: Mapping[str, str] = ()  # type: ignore[assignment]

    def wants(self, name: str) -> str:
        """Value of a filter, empty when it is not set."""
        return dict(self.filters).get(name, "")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page and the cursor of the next, None at the end."""

    items: Sequence[T]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


def cut(rows: Sequence[T], paging: Paging, key: str) -> Page[T]:
    """A page of rows read with limit + 1: one row more than wanted shows that there is a next page."""
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    return Page(shown, _key_of(shown[-1], key) if more and shown else None)


def read_paging(args: Mapping[str, str], filters: Sequence[str] = (), sorts: Sequence[str] = ()) -> Paging:
    """The paging of a page's address; unknown names are ignored, wrong values named."""
    text = args.get("limit", str(PAGE_ROWS))
    if not text.isdigit() or not 1 <= int(text) <= PAGE_ROWS_MAX:
        raise BadInput("web.limit", f"limit={text} is no number of rows.", todo=f"Use 1 to {PAGE_ROWS_MAX}.")
    order = args.get("sort", "")
    name = order.removeprefix("-")
    return Paging(
        after=args.get("after", "")[:200],
        limit=int(text),
        sort=name if name in sorts else "",
        descending=order.startswith("-"),
        filters={n: args[n].strip()[:200] for n in filters if args.get(n, "").strip()},
    )


def _key_of(row: Any, key: str) -> str:
    return str(row[key] if isinstance(row, Mapping) else getattr(row, key))
