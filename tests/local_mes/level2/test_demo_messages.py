"""Every message of the example group's day fits its layout, is plausible (but for the broken one) and means something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from level2_peers import PLANTS

import local_mes.production.operations  # noqa: F401  registers the operations
from demo.scenario import day
from demo.scenario.script import Event
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.mapping.apply import apply
from local_mes.level2.mapping.elsewhere import Spooled
from local_mes.level2.operations import Message, get_operation
from local_mes.level2.telegrams.codec import decode_body, encode_body
from local_mes.level2.telegrams.layout_files import load_events
from local_mes.level2.telegrams.plausible import check
from shared.errors import BadSetup
from shared.settings import PlantSettings


@pytest.fixture(scope="module")
def plans() -> dict[str, LinkPlan]:
    return {
        code: load_links(
            PlantSettings(
                code=code,
                name=code,
                folder=Path("/"),
                hub_url="http://127.0.0.1:1",
                model=PLANTS / code.lower() / "model.toml",
            )
        )
        for code in ("ALD", "BRK", "CLD")
    }


def messages() -> Iterator[Event]:
    return (event for event in day.build(1).events if event.via in ("telegram", "opcua"))


def operation_of(plan: LinkPlan, code: str, name: str, fields: dict[str, Any]) -> str | None:
    """By the link's mapping file, else by name."""
    mapping = plan.mappings.by_link.get(code)
    message = Message("s", 1, code, name, fields, 0, "", None, 0)
    mapped = apply(mapping, message, Spooled(None)) if mapping else None  # type: ignore[arg-type]
    return mapped.operation if mapped else plan.links[code].find_operation(name)


def test_every_message_of_the_day_is_plausible_but_the_one_that_must_not_be(plans: dict[str, LinkPlan]) -> None:
    faults = []
    for event in messages():
        plan = plans[event.plant]
        code = event.link or next(link.code for link in plan.links.values() if link.kind == "opcua")
        layout = plan.find_layout(code, event.name)
        assert layout is not None, event.name
        fields = dict(event.fields)
        if event.via == "telegram":
            fields = decode_body(layout, encode_body(layout, fields))
        faults += [(event.name, fault.field) for fault in check(layout, fields)]
        means = operation_of(plan, code, event.name, fields)
        assert means, event.name
        get_operation(means)
    assert faults == [("CC1060", "width_head_mm")]


def test_every_operation_the_models_name_exists(plans: dict[str, LinkPlan]) -> None:
    names = {name for plan in plans.values() for link in plan.links.values() for name in link.map.values()}
    assert len(names) > 20
    for name in names:
        get_operation(name)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"heat": 161843, "basket": []}, "heat is 161843, which is no text"),
        ({"heat": "161843"}, "basket is empty"),
        ({"heat": "161843", "basket": "E8"}, "basket is 'E8', which is no list"),
        ({"heat": "161843", "basket": [{"type": "E8", "kg": True}]}, "basket[0].kg is True, which is no number"),
        ({"heat": "161843", "basket": [{"type": "E8", "kg": 1e9}]}, "basket[0].kg is 1000000000.0 kg, above 120000 kg"),
        ({"heat": "161843", "basket": ["E8"]}, "basket is no list of at most 30 rows"),
    ],
)
def test_an_event_of_another_kind_of_value_is_implausible(
    plans: dict[str, LinkPlan], fields: dict[str, object], fault: str
) -> None:
    layout = plans["ALD"].find_layout("ALD-MELT", "EAF2.Charge")
    assert layout
    assert [found.reason for found in check(layout, fields)] == [fault]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('id = "*.A"\nencoding = "ascii"\n', "encoding json"),
        ('id = "*.A"\nencoding = "json"\ndirection = "up"\nfields = [{ name = "x", type = "N" }]', "type 'N'"),
        ('id = "*.A"\nencoding = "json"\ndirection = "up"\ncolour = 1', "unknown key 'colour'"),
        ("encoding = ", "Invalid value"),
    ],
)
def test_a_bad_event_layout_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(BadSetup, match=reason):
        load_events(tmp_path)
