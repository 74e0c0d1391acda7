"""The whole loop of a standard by four people in real browsers: its author, its approver, the pilot plant's engineer who
accepts, and the second plant's quality who rejects with a reason that the approver reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from central_hub.standards import publishing
from central_hub.standards.queries import find_open_request
from shared.db.engine import read
from shared.standards.signing import sign_request

DOCUMENT = Path(__file__).parents[2] / "demo" / "standards" / "KPI-TPH-v1.json"
REASON = "Our scale stands behind the coiler until June"


def sign(group: Any) -> None:
    """The key holders sign what is asked, away from the hub."""
    for holder in group.holders[:2]:
        with read(group.hub.node.engine) as conn:
            request = publishing.request_file(conn, group.hub, find_open_request(conn, group.hub.code).request_id)
        answer = sign_request(request, holder)
        publishing.give_signature(group.hub, answer, "courier")


@pytest.mark.slow
@pytest.mark.timeout(600)  # four browsers and three nodes, also where they get a tenth of a processor
def test_four_people_bring_a_standard_to_a_pilot_and_a_plant_that_says_no(
    group: Any, visit: Callable[..., Any], wait_until: Callable[[Callable[[], Any]], Any]
) -> None:
    author = visit("HUB", "author.quality").open("/standards/draft")
    document = json.loads(DOCUMENT.read_text()) | {"id": "KPI-LOOP", "title": "Tonnes an hour, as four people see it"}
    author.get_by_label("Document").fill(json.dumps(document))
    author.get_by_role("button", name="Save draft").click()
    author.get_by_role("button", name="Submit for review").click()
    expect(author.get_by_text("Waiting for a second person")).to_be_visible()

    approver = visit("HUB", "approver.quality")
    page = approver.open("/rollouts/plan/KPI-LOOP/1")
    page.get_by_label("Wave of CLD").select_option("1")
    page.get_by_label("Wave of BRK").select_option("2")
    page.get_by_label("Days to answer in wave 1").fill("3")
    page.get_by_role("button", name="Approve for these waves").click()
    sign(group)
    page = approver.open("/rollouts/KPI-LOOP/1")
    page.get_by_role("button", name="Begin wave 1 now").click()

    pilot = visit("CLD", "engineer.cld")
    wait_until(lambda: is_asked(pilot))
    pilot.page.get_by_role("link", name="KPI-LOOP v1").click()
    pilot.page.get_by_role("button", name="Accept").click()
    wait_until(lambda: pilot.open("/standards").get_by_role("row", name=re.compile("KPI-LOOP")).count())

    page = approver.open("/rollouts/KPI-LOOP/1")
    page.get_by_role("button", name="Begin wave 2 now").click()
    second = visit("BRK", "quality.brk")
    wait_until(lambda: is_asked(second))
    second.page.get_by_role("link", name="KPI-LOOP v1").click()
    second.page.get_by_role("button", name="Reject").click()  # without a reason it is no answer
    expect(second.page.get_by_label("Why not")).to_be_focused()
    second.page.get_by_label("Why not").fill(REASON)
    second.page.get_by_role("button", name="Reject").click()

    wait_until(lambda: REASON in approver.open("/rollouts/KPI-LOOP/1").content())
    expect(approver.page.get_by_role("listitem").filter(has_text="CLD")).to_contain_text("v1")
    expect(approver.page.get_by_role("listitem").filter(has_text="BRK")).to_contain_text("declined v1")


def is_asked(person: Any) -> bool:
    """Whether the plant's list says that the group asks."""
    return bool(person.open("/standards").get_by_role("link", name="KPI-LOOP v1").count())
