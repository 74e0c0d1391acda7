"""The menu marks the entry that a page belongs to, also on the pages below it."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, g

from shared.web.accounts import Person
from shared.web.features import MenuItem
from shared.web.menu import GLANCE_MAX, entry_of, menu_of

MENU = tuple(
    MenuItem("Material", name, name) for name in ("loads.listing", "loads.gone", "loads.receipts", "pieces.stock")
)
RULES = {
    "loads": {"listing": "/loads", "gone": "/loads/gone", "receipts": "/receipts", "load": "/loads/<n>", "label": "/l/<n>"},
    "pieces": {"stock": "/stock", "piece": "/piece/<n>"},
    "signin": {"legend": "/legend"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/loads", "loads.listing"),
        ("/loads/BRK-7", "loads.listing"),
        ("/loads/gone", "loads.gone"),
        ("/receipts", "loads.receipts"),
        ("/l/BRK-7", ""),  # below none, and its part has several entries
        ("/piece/4711", "pieces.stock"),
        ("/legend", ""),
        ("/nowhere", ""),
    ],
)
def test_a_page_belongs_to_its_entry(path: str, entry: str) -> None:
    app = Flask(__name__)
    for name, rules in RULES.items():
        bp = Blueprint(name, __name__)
        for view, rule in rules.items():
            bp.add_url_rule(rule, view, lambda **_: "")
        app.register_blueprint(bp)
    with app.test_request_context(path):
        assert entry_of(MENU) == entry


@pytest.mark.parametrize(
    ("entries", "shown"), [(GLANCE_MAX, ["Now", "Material", "Node"]), (GLANCE_MAX + 1, ["Now", "Node"])]
)
def test_a_long_menu_has_open_what_is_wanted_now_and_where_one_is(entries: int, shown: list[str]) -> None:
    pieces = tuple(MenuItem("Material", f"List {i}", f"pieces.list{i}") for i in range(entries - 2))
    menu = (*pieces, MenuItem("Now", "Unit", "unit.home"), MenuItem("Node", "Incidents", "node.incidents"))
    with Flask(__name__).test_request_context("/"):
        assert menu_of(menu) == [], "nobody is signed in"
        g.person = Person("p", "lead", "Lead", frozenset(), "")
        sections = menu_of(menu, "node.incidents")
    assert [section.title for section in sections] == ["Now", "Material", "Node"]
    assert [section.title for section in sections if section.open] == shown
