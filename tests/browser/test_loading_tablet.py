"""Loading's script by itself in a real browser: what another person did on this tablet and has not sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Route, expect

import shared.web

STATIC = Path(shared.web.__file__).parent / "static"
SCRIPT = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("queue.js", "loading.js"))


def form(kind: str, number: str, about: str = "", more: str = "") -> str:
    """A form of the page as its template writes it."""
    field = f'<input type="hidden" name="piece" value="{number}">' if number else ""
    said = f'data-about="{about}"' if about else ""
    tap = '<button class="piece-tap"><span class="piece-state"></span></button>' if not kind else "<button>Go</button>"
    return f"<form {kind and f'data-kind={kind}'} data-queue=/{kind or 'load'} {said} {more}>{field}{tap}</form>"


PAGE = f"""<!doctype html><meta charset="utf-8"><meta name="csrf-token" content="t">
<div id="loading" data-plant="BRK" data-load="T-1" data-person="b" data-name="Ben">
<div id="load-queue"></div><div id="load-refused"></div><div id="load-list"><p data-now="1" data-state="open"></p>
{form("", "C-2", "load T-1 C-2")}{form("off", "C-1", "off T-1 C-1")}</div></div>
{form("leave", "", more="data-page=/left")}<script>{SCRIPT}</script>"""
ANNA = """() => {
  const kept = [["load", "C-2"], ["off", "C-1"], ["leave", "Departure of T-1"]].map(([kind, number]) => ({
    about: kind + " T-1 " + number, number, path: "/" + kind, person: "a", name: "Anna", refused: "", body: { command_id: number }
  }));
  localStorage.setItem("strandline.loading.BRK", JSON.stringify(kept));
}"""
"""She loaded one coil, took one off and let the load leave."""


def test_a_departure_that_waits_for_another_person_locks_nobody_and_is_not_in_ones_own(browser: Browser) -> None:
    context, posts = browser.new_context(), list[Any]()

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            posts.append((route.request.url.rpartition("/")[2], route.request.post_data_json))
            route.fulfill(body=json.dumps({"number": "T-1"}), content_type="application/json")
            return
        route.fulfill(body=PAGE, content_type="text/html")

    page = context.new_page()
    page.route("**/*", answer)
    page.goto("http://tablet.test/")
    page.evaluate(ANNA)
    page.goto("http://tablet.test/")
    expect(page.locator("#load-queue")).to_contain_text("only Anna, signed in here, can send them")
    expect(page.locator("button:disabled")).to_have_count(0)
    page.locator("form[data-kind=leave] button").click()
    page.wait_for_url("**/left")
    assert [(kind, body["pieces"]) for kind, body in posts] == [("leave", ["C-1"])]
    kept = page.evaluate("JSON.parse(localStorage.getItem('strandline.loading.BRK')).map(item => item.person)")
    assert kept == ["a", "a", "a"]
    context.close()
