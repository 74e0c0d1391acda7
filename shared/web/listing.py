"""A list page from one description: columns, filters and a function that reads a page. CSV comes with it.

    COLUMNS = (
        Column("number", "Number", link="pieces.piece", link_key="number"),
        Column("mass_g", "Mass", unit="kg", show="kg"),
        Column("state", "State", show="badge"),
    )
    return answer_list("production/heats.html", COLUMNS, read_heats, title="Heats", filters=(Filter("q", "Number"),))

The template shows it with `{{ listing_table(listing) }}` of macros.html. Rows are mappings or objects.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, current_app, render_template, request, url_for

from shared.web.context import node
from shared.web.paging import CSV_ROWS_MAX, PAGE_ROWS_MAX, Page, Paging, read_paging

NUMBERS = frozenset({"kg", "tonnes", "mm", "metres", "percent", "chemistry", "minutes", "whole"})
"""Ways of showing that are figures: right-aligned, one under the other."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the row's key, its head with unit, how a value is shown.

    show   a filter of formats.py, or text, when (a time), age, badge (a state with its sign: the row's `<key>_state`
           names the sign, else the value itself), code (a number on a label)
    link   endpoint the value leads to, called with link_arg=row[link_key]; `pieces.piece` for any material number
    sort   whether read() can sort by it
    """

    key: str
    title: str
    unit: str = ""
    show: str = "text"
    link: str = ""
    link_key: str = ""
    link_arg: str = "number"
    sort: bool = False

    @property
    def is_number(self) -> bool:
        """Whether the column holds figures."""
        return self.show in NUMBERS

    def value(self, row: Any) -> Any:
        """The row's raw value."""
        return _get(row, self.key)

    def state(self, row: Any) -> str:
        """Sign of a badge column."""
        return str(_get(row, f"{self.key}_state") or self.value(row) or "normal")

    def href(self, row: Any) -> str:
        """Where the value leads, empty when nowhere."""
        target = _get(row, self.link_key or self.key) if self.link else None
        return url_for(self.link, **{self.link_arg: target}) if target else ""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a list: free text, or a choice of (value, words)."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as the template gets it."""

    columns: tuple[Column, ...]
    page: Page[Any]
    paging: Paging
    filters: tuple[Filter, ...]
    as_of_ms: int

    def address(self, **changes: str | None) -> str:
        """This list's address with some of its state changed; None takes a name away."""
        args: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict(), **changes}
        return url_for(str(request.endpoint), **{k: v for k, v in args.items() if v not in (None, "")})

    def sort_address(self, column: Column) -> str:
        """The address that sorts by the column, the other way round when it already does."""
        up = self.paging.sort == column.key and not self.paging.descending
        return self.address(sort=f"-{column.key}" if up else column.key, after=None)


Read = Callable[[Paging], Page[Any]]


def answer_list(
    template: str, columns: Sequence[Column], read: Read, *, filters: Sequence[Filter] = (), **context: Any
) -> str | Response:
    """The list page, or the whole list as CSV when the address says format=csv."""
    paging = read_paging(request.args, [f.name for f in filters], [c.key for c in columns if c.sort])
    if request.args.get("format") == "csv":
        return csv_answer(columns, all_rows(read, paging), str(request.endpoint).replace(".", "-"))
    listing = Listing(tuple(columns), read(paging), paging, tuple(filters), node().clock.now_ms())
    return render_template(template, listing=listing, **context)


def all_rows(read: Read, paging: Paging) -> Iterator[Any]:
    """All rows of a list, read in large pages, up to the CSV's limit."""
    paging = replace(paging, after="", limit=PAGE_ROWS_MAX)
    for _ in range(CSV_ROWS_MAX // PAGE_ROWS_MAX):
        page = read(paging)
        yield from page
        if page.next is None:
            return
        paging = replace(paging, after=page.next)


def csv_answer(columns: Sequence[Column], rows: Iterator[Any], name: str) -> Response:
    """A CSV of raw values: integers in the table's own units, so that a spreadsheet can calculate."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.key for column in columns])
    writer.writerows([plain_cell(column.value(row)) for column in columns] for row in rows)
    answer = current_app.response_class(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def plain_cell(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula."""
    text = value if isinstance(value, str) else None
    return f"'{text}" if text and text[0] in "=+-@\t\r" else value


def _get(row: Any, key: str) -> Any:
    return row.get(key) if isinstance(row, Mapping) else getattr(row, key, None)
