"""The crane's tablet in a real browser that loses the network: touches are kept, said, and sent in order, once only."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Route, expect
from sqlalchemy import select

from local_mes.stock.jobs import NewJob, drop_job, plan_job
from local_mes.stock.service import Command
from shared.db.engine import read
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.tables import place_history
from shared.stock.tables import crane_job

PASSWORD = "long enough to type"
WAIT_MS = 40_000


def plan(plant: Any, number: str) -> str:
    """A coil at the scale, and a job to put it away."""
    clock = plant.clock
    coil = NewMaterial(
        material_id=new_id(clock), kind="coil", aliases=(NewAlias("BRK.coil", number),), place="CW1",
        mass=Mass(20_000_000, "weighed"), size=Size(2_500, 1_270_000, 800_000_000),
    )  # fmt: skip
    with plant.journal.work() as tx:
        made = MaterialCreated(material=coil, origin="migrated")
        tx.record(Draft(made, (coil.material_id,), "p1", Occurred(clock.now_ms(), "manual")))
    stack = int(number[-2:])
    job = NewJob("CR7", "put", number, f"CB4-2-{stack}")
    return str(plan_job(plant, Command(new_id(clock), "p1"), job)["job_id"])


def places(plant: Any) -> list[str]:
    """Where coils were put, in order."""
    with read(plant.node.engine) as conn:
        query = select(place_history.c.place).where(place_history.c.place.like("CB4-2-%"))
        return list(conn.execute(query.order_by(place_history.c.at_ms, place_history.c.fact_id)).scalars())


def test_jobs_are_done_without_a_line_and_sent_in_order_once_it_is_back(group: Any, browser: Browser) -> None:
    plant = group.plant("BRK")
    jobs = [plan(plant, f"B6-777{n:02d}") for n in (1, 2, 3, 4)]
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = context.new_page()
    page.goto(group.url("BRK") + "/crane/CR7")
    page.get_by_label("Login").fill("yard.brk")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    row = [page.locator(f'[data-job="{job}"]') for job in jobs]
    expect(row[3]).to_be_visible(timeout=WAIT_MS)

    context.set_offline(True)
    for n in (0, 1, 2):
        row[n].get_by_role("button", name="Done").tap()
    queue = page.locator("#crane-queue")
    expect(queue).to_contain_text(
        "3 jobs are done here and not yet sent: B6-77701, B6-77702, B6-77703.", timeout=WAIT_MS
    )
    expect(queue).to_contain_text("No contact since", timeout=WAIT_MS)
    expect(row[1]).to_contain_text("Done here, not yet sent")
    expect(row[1].get_by_role("button")).to_be_disabled()
    assert places(plant) == []
    drop_job(plant, Command(new_id(plant.clock), "p1"), jobs[1], "the load was cancelled")

    lost = []

    def lose_first_answer(route: Route) -> None:
        """The server does it, and the browser never hears."""
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/confirm", lose_first_answer)
    context.set_offline(False)
    expect(queue).to_be_hidden(timeout=WAIT_MS)
    assert lost == [200]
    assert places(plant) == ["CB4-2-1", "CB4-2-3"]
    refused = page.locator("#crane-refused")
    expect(refused).to_contain_text("B6-77702 was not booked.")
    expect(refused).to_contain_text("dropped already: the load was cancelled")
    refused.get_by_role("button", name="Seen").tap()
    expect(refused).to_be_empty()
    expect(row[0]).to_have_count(0, timeout=WAIT_MS)
    expect(row[3]).to_be_visible()
    with read(plant.node.engine) as conn:
        states = dict(conn.execute(select(crane_job.c.job_id, crane_job.c.state)).tuples().all())
    assert [states[job] for job in jobs] == ["done", "dropped", "done", "open"]
    context.close()
