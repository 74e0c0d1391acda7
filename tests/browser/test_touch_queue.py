"""The queue of touches by itself in a real browser: whose turn it is, a touch the server fails on, a store that is full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import shared.web

SCRIPT = (Path(shared.web.__file__).parent / "static" / "queue.js").read_text(encoding="utf-8")
ADDRESS = "http://tablet.test/"
PAGE = f"""<!doctype html><meta charset="utf-8"><meta name="csrf-token" content="t"><div id="box"></div><div id="refused"></div>
<script>{SCRIPT}</script><script>
let who = {{ id: "a", name: "Anna" }}, booked = [];
const queue = window.strandlineQueue({{
  key: "touches", one: "touch is", many: "touches are", person: () => who, shell: false,
  box: document.getElementById("box"), refused: document.getElementById("refused"),
  onShow: () => {{}}, onSent: () => {{}}, onAnswer: item => booked.push(item.number)
}});
</script>"""
KEEP = """touches => {
  const kept = touches.map(([number, id, name, photo]) => ({
    about: number, number, path: "/touch/" + number, person: id, name, refused: "", body: { command_id: number, photo }
  }));
  localStorage.setItem("touches", JSON.stringify(kept));
}"""
FULL = """room => {
  const keep = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) {
    if (value.length > room) { throw new DOMException("full", "QuotaExceededError"); }
    keep.call(this, key, value);
  };
}"""


class Tablet:
    """A page that is nothing but a queue, and a server that answers each touch as it was told."""

    def __init__(self, page: Page) -> None:
        self.page, self.answers, self.posts = page, dict[str, int](), list[str]()
        page.route("**/*", self.answer)
        page.goto(ADDRESS)
        self.box, self.refused = page.locator("#box"), page.locator("#refused")

    def answer(self, route: Route) -> None:
        if route.request.method == "GET":
            route.fulfill(body=PAGE, content_type="text/html")
            return
        number = route.request.url.rpartition("/")[2]
        self.posts.append(number)
        status = self.answers.get(number, 200)
        told = {} if status < 400 else {"detail": f"Not {number}."}
        route.fulfill(status=status, body=json.dumps(told), content_type="application/json")

    def keep(self, *touches: tuple[str, str, str, str]) -> None:
        """Touches that wait: number, person, name, picture."""
        self.page.evaluate(KEEP, [list(touch) for touch in touches])

    def send(self) -> list[str]:
        """One round; the numbers that were posted."""
        self.posts.clear()
        self.page.evaluate("queue.send()")
        self.page.evaluate("queue.show()")
        return list(self.posts)

    def kept(self) -> list[str]:
        return [item["number"] for item in self.page.evaluate("queue.read()")]

    def room_for(self, more: int) -> None:
        """The store takes this many characters more than are in it."""
        self.page.evaluate(FULL, self.page.evaluate("localStorage.getItem('touches').length") + more)


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Tablet]:
    context = browser.new_context()
    yield Tablet(context.new_page())
    context.close()


def test_what_another_person_did_keeps_nobody_elses_touches_back(tablet: Tablet) -> None:
    tablet.keep(("1", "a", "Anna", ""), ("2", "b", "Ben", ""), ("3", "a", "Anna", ""), ("4", "b", "Ben", ""))
    tablet.page.evaluate("who = { id: 'b', name: 'Ben' }")
    assert tablet.send() == ["2", "4"]
    expect(tablet.box).to_have_text(
        "2 touches are done here and not yet sent: 1, 3. Anna did them: only Anna, signed in here, can send them."
    )
    tablet.page.evaluate("who = { id: 'a', name: 'Anna' }")
    assert tablet.send() == ["1", "3"]
    expect(tablet.box).to_be_hidden()


def test_a_touch_that_the_server_fails_on_is_set_aside_once_others_get_through(tablet: Tablet) -> None:
    tablet.keep(*((number, "a", "Anna", "") for number in "123"))
    tablet.answers = dict.fromkeys("123", 502)  # the server is away: nothing is judged, and hardly more is sent
    assert [tablet.send() for _ in range(5)] == [["1"], ["1"], ["1", "2"], ["1", "3"], ["1", "2"]]
    expect(tablet.refused).to_be_empty()
    expect(tablet.box).to_contain_text("3 touches are done here and not yet sent: 1, 2, 3. No contact since")
    tablet.answers = {"1": 500}
    assert tablet.send() == ["1", "3", "1", "2"]
    assert tablet.kept() == ["1"]
    expect(tablet.refused).to_contain_text("1 was not booked. The server fails on it again and again")
    assert tablet.send() == []
    tablet.answers = {}
    tablet.refused.get_by_role("button", name="Try again").click()
    expect(tablet.refused).to_be_empty()
    tablet.page.wait_for_function("booked.join() === '3,2,1'")
    assert tablet.kept() == []


def test_a_server_that_was_away_books_in_order_as_soon_as_it_is_back(tablet: Tablet) -> None:
    tablet.keep(*((number, "a", "Anna", "") for number in "123"))
    tablet.answers = dict.fromkeys("123", 503)
    for _ in range(6):
        tablet.send()
    tablet.answers = {}
    assert tablet.send() == ["1", "2", "3"]
    expect(tablet.refused).to_be_empty()


def test_a_refusal_on_a_full_store_drops_the_picture_and_without_one_stops_and_says_so(tablet: Tablet) -> None:
    tablet.keep(("1", "a", "Anna", "p" * 1_000), ("2", "a", "Anna", ""), ("3", "a", "Anna", ""))
    tablet.answers = {"1": 422}
    tablet.room_for(0)
    assert tablet.send() == ["1", "2", "3"]
    expect(tablet.refused).to_contain_text("1 was not booked. Not 1. Its picture was dropped")
    assert tablet.kept() == ["1"]
    tablet.keep(("4", "a", "Anna", ""), ("5", "a", "Anna", ""))
    tablet.answers = {"4": 422}
    tablet.room_for(0)
    assert tablet.send() == ["4"]  # and not the same one for ever
    expect(tablet.box).to_contain_text("4, 5. This browser's store is full")
    assert tablet.kept() == ["4", "5"]
