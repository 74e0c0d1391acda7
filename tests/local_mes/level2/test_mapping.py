"""What messages mean, as data: signals by name, entries with conditions, units, lookups; faults found at the start."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from level2_line import Line
from level2_peers import Site, cut
from sqlalchemy import select

from local_mes.level2.again import interpret_again, interpret_all_again, let_followers_go
from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.mapping.apply import apply
from local_mes.level2.mapping.elsewhere import Spooled
from local_mes.level2.mapping.entries import ENGINE
from local_mes.level2.mapping.inputs import Input, read_takes
from local_mes.level2.mapping.live import find_live
from local_mes.level2.mapping.trial import read_pasted, try_message
from local_mes.level2.operations import Message, Work, operation
from local_mes.level2.service import mend
from local_mes.level2.tables import repair, spool_waiting
from shared.cli import cli
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import BadInput, BadSetup
from shared.material.facts import MaterialMoved
from shared.rules.check import ENGINE as RULES
from shared.rules.measures import UnitError, convert, measure
from shared.rules.port import SourceError, Value
from shared.rules.unit_check import unit_of
from shared.settings import PlantSettings

MakeSite = Callable[..., Site]
CALLED: list[tuple[str, dict[str, Any]]] = []


@operation(
    "mapped_cut",
    takes="heat:text strand cut length_mm mass_kg temp_c? kind:text order?:text parts?[no mm] results?[element:text value_e5]",
)
def mapped_cut(work: Work, message: Message) -> None:
    CALLED.append((message.unit, message.fields))
    work.record(MaterialMoved(material_id=work.new_id(), place=message.fields["kind"]), (message.fields["heat"],))


LINK = """
[[link]]
code = "TORCH"
kind = "rest"
address = ""
mapping = "torch.toml"
  [link.settings]
  secret_file = "torch.secret"
  [link.map]
  "TORCH.Life" = "ignore"

[[link]]
code = "PYRO"
kind = "rest"
address = ""
mapping = "pyro.toml"
  [link.settings]
  secret_file = "torch.secret"
  [link.map]
  "PYRO.Read" = "ignore"
"""
SIGNALS = """
[[signal]]
name = "CC/LINE/CC1/heat"
type = "text"
message = "TORCH.Cut"
[[signal]]
name = "CC/LINE/CC1/strand"
message = "TORCH.Cut"
min = 1
max = 2
[[signal]]
name = "CC/LINE/CC1/cut"
message = "TORCH.Cut"
field = "NO"
[[signal]]
name = "CC/LINE/CC1/length"
unit = "m"
message = "TORCH.Cut"
field = "position.len"
min = 0
max = 15
[[signal]]
name = "CC/LINE/CC1/per_metre"
unit = "t/m"
message = "TORCH.Cut"
field = "TPM"
default = 2.2
[[signal]]
name = "CC/LINE/CC1/code"
type = "text"
message = "TORCH.Cut"
field = "code"
lookup = "kinds"
[[signal]]
name = "CC/LINE/CC1/test"
type = "flag"
message = "TORCH.Cut"
default = false
[[signal]]
name = "CC/LINE/CC1/part_no"
message = "TORCH.Cut"
field = "parts[].n"
[[signal]]
name = "CC/LINE/CC1/part_length"
unit = "cm"
message = "TORCH.Cut"
field = "parts[].cm"
[[signal]]
name = "CC/LINE/CC1/carbon"
unit = "%"
message = "TORCH.Cut"
field = "C"
[[signal]]
name = "CC/LINE/CC1/copper"
unit = "%"
message = "TORCH.Cut"
field = "Cu"
[lookup.kinds]
values = { 17 = "slab", 18 = "crop" }
"""
ENTRY = """
[[operation]]
name = "a cut"
message = "TORCH.Cut"
when = "!test && length > 0.5"
operation = "mapped_cut"
  [operation.fields]
  heat = "heat"
  strand = "strand"
  cut = "cut"
  length_mm = "length"
  mass_kg = "length * per_metre"
  kind = "code"
"""
TEST_CUT = """
[[operation]]
name = "a test cut"
message = "TORCH.Cut"
when = "test"
operation = "ignore"
"""
PYRO = """
[[signal]]
name = "CC/LINE/CC1/pyro_heat"
type = "text"
message = "PYRO.Read"
field = "heat"
[[signal]]
name = "CC/LINE/CC1/pyro_temperature"
unit = "F"
message = "PYRO.Read"
field = "temp"
"""


class Bench:
    """A plant with the two links, whose files a test writes."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.folder = line.site.folder

    def comes(self, name: str, fields: dict[str, Any]) -> int:
        from local_mes.level2.spool import Incoming, append
        from shared.db.engine import write

        now = self.line.clock.now_ms()
        body = json.dumps(fields).encode()
        link = name.partition(".")[0]
        with write(self.line.plant.spool) as conn:
            stored = append(conn, Incoming(link, name, 0, "", None, now, 0, 60, body, body, fields, always_new=True))
        return stored.spool_id

    def repairs(self) -> list[Any]:
        with read(self.line.plant.node.engine) as conn:
            return list(conn.execute(select(repair).where(repair.c.state == "open").order_by(repair.c.spool_id)))


def write_files(folder: Path, torch: str, pyro: str = PYRO) -> None:
    (folder / "torch.toml").write_text(torch)
    (folder / "pyro.toml").write_text(pyro)
    (folder / "torch.secret").write_text("x" * 32)


@pytest.fixture
def make_bench(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []
    CALLED.clear()

    def make(entries: str = ENTRY, signals: str = SIGNALS, pyro: str = PYRO) -> Bench:
        write_files(tmp_path, signals + entries, pyro)
        made.append(Bench(Line(make_site(more=LINK), clock)))
        return made[-1]

    yield make
    for bench in made:
        bench.line.plant.node.engine.dispose()
        bench.line.plant.spool.dispose()


def told(**more: Any) -> dict[str, Any]:
    return {"heat": 161843, "strand": 2, "NO": "3", "position": {"len": 9.3}, "TPM": 2.21, "code": 17} | more


def test_a_message_becomes_an_operation_in_its_units(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(ENTRY + TEST_CUT)
    bench.comes("TORCH.Cut", told())
    bench.comes("TORCH.Cut", told(TPM=None))
    bench.comes("TORCH.Cut", told(test=True))
    bench.line.run()
    assert bench.repairs() == []
    first = {"heat": "161843", "strand": 2, "cut": 3, "length_mm": 9300, "mass_kg": 20553, "kind": "slab"}
    assert [("CC1", first), ("CC1", first | {"mass_kg": 20460})] == CALLED
    assert all(type(v) in (int, str) for v in CALLED[0][1].values())


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (told(code=99), "the lookup 'kinds' does not know", "code"),
    (told(position={"len": 93}), "93 m, above 15 m", "position.len"),
    (told(position={}), "length is not told", "position.len"),
    (told(position=None), "length is not told", "position.len"),
    (told(strand="two"), "which is no number", "strand"),
    (told(strand="nan"), "which is no number", "strand"),
    (told(NO=1.5), "a whole number", "NO"),
    (told(heat=["x"]), "which is no text", "heat"),
    (told(heat=" "), "heat is empty", "heat"),
    (told(heat=None), "heat is empty", "heat"),
    (told(heat="x" * 201), "longer than 200 characters", "heat"),
    (told(TPM="1e300"), "mass_kg would be 9.3", "position.len"),
    (told(test=True), "No entry of torch.toml is meant", ""),
    (told(position={"len": 0.2}), "length = 0.2 m ≤ 0.5", ""),
]


def test_what_an_entry_cannot_take_goes_to_repair_and_the_link_goes_on(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    for fields, _, _ in WRONG:
        bench.comes("TORCH.Cut", fields)
        bench.comes("TORCH.Cut", told(heat="after"))
    bench.line.run()
    rows = bench.repairs()
    assert len(rows) == len(WRONG)
    for row, (_, why, at_fault) in zip(rows, WRONG, strict=True):
        assert why in row.reason
        assert row.field == at_fault
        assert ("'a cut' (torch.toml)" in row.reason) == bool(at_fault)
    assert [fields["heat"] for _, fields in CALLED] == ["after"] * len(WRONG)


def test_what_is_no_number_goes_to_repair(make_bench: Callable[..., Bench]) -> None:
    noughts = ("length / 0", "length * 0 / 0", "length * 1e300 * 1e300", "-length / 0")
    entries = "".join(
        ENTRY.replace("a cut", f"cut {i}").replace('length_mm = "length"', f'length_mm = "{source}"')
        for i, source in enumerate(noughts)
    )
    for i in range(len(noughts)):
        entries = entries.replace("!test && length > 0.5", f"cut == {i}", 1)
    bench = make_bench(entries)
    for i in range(len(noughts)):
        bench.comes("TORCH.Cut", told(NO=i))
    bench.line.run()
    assert ["length_mm would be" in row.reason for row in bench.repairs()] == [True] * len(noughts)


def test_rows_out_of_rows_and_one_a_measured_element(make_bench: Callable[..., Bench]) -> None:
    rows = """
  [operation.rows.parts]
  each = "parts"
  when = "part_length > 1"
  fields = { no = "part_no", mm = "part_length * 2" }
  [[operation.rows.results]]
  element = "'C'"
  value_e5 = "carbon"
  [[operation.rows.results]]
  element = "'Cu'"
  value_e5 = "copper"
"""
    bench = make_bench(ENTRY + rows)
    bench.comes("TORCH.Cut", told(parts=[{"n": 1, "cm": 12.5}, {"n": 2, "cm": 0.5}], C=0.045))
    bench.comes("TORCH.Cut", told(parts=[{"n": 1, "cm": "thick"}]))
    bench.line.run()
    assert CALLED[0][1]["parts"] == [{"no": 1, "mm": 250}]
    assert CALLED[0][1]["results"] == [{"element": "C", "value_e5": 4500}]
    assert "row 1 of parts" in bench.repairs()[0].reason


JOINED = (
    ENTRY
    + """  temp_c = "pyro"
  [operation.use.pyro]
  signal = "CC/LINE/CC1/pyro_temperature"
  within_s = 300
  same = { "CC/LINE/CC1/pyro_heat" = "heat" }
"""
)


def test_two_level_2s_that_speak_of_one_piece_are_joined(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(JOINED)
    bench.comes("PYRO.Read", {"heat": "161843", "temp": 1832})
    for _ in range(510):
        bench.comes("PYRO.Read", {"heat": "another", "temp": 32})
    bench.comes("TORCH.Cut", told())
    bench.comes("PYRO.Read", {"heat": 7, "temp": 32})
    bench.comes("TORCH.Cut", told(heat=" 7 "))
    bench.line.run()
    assert [fields["temp_c"] for _, fields in CALLED] == [1000, 0]
    bench.comes("PYRO.Read", {"heat": "", "temp": 32})
    bench.comes("TORCH.Cut", told(heat=""))
    bench.line.run()
    assert "heat is " in bench.repairs()[0].reason


def test_what_the_other_has_not_told_yet_is_waited_for(make_bench: Callable[..., Bench], clock: FixedClock) -> None:
    bench = make_bench(JOINED)
    bench.comes("PYRO.Read", {"heat": "161843", "temp": 32})
    clock.advance(400_000)  # too long ago
    bench.comes("TORCH.Cut", told())
    bench.line.run()
    with read(bench.line.plant.node.engine) as conn:
        (row,) = conn.execute(select(spool_waiting)).all()
    assert "pyro_temperature of 161843 was not told by PYRO" in row.reason
    clock.advance(10_000)
    bench.comes("PYRO.Read", {"heat": "161843", "temp": 212})
    bench.line.run()
    assert CALLED[0][1]["temp_c"] == 100
    assert bench.repairs() == []


WAITS = (
    ENTRY.replace('operation = "mapped_cut"', 'operation = "mapped_cut"\nafter = ["pyro"]')
    + """
  [operation.use.pyro]
  signal = "CC/LINE/CC1/pyro_temperature"
  within_s = 3000
  needed = false
  same = { "CC/LINE/CC1/pyro_heat" = "heat" }
"""
)


def test_what_is_good_to_know_is_waited_for_and_then_gone_on_without(
    make_bench: Callable[..., Bench], clock: FixedClock
) -> None:
    bench = make_bench(WAITS)
    bench.comes("TORCH.Cut", told())
    bench.comes("TORCH.Cut", told(heat="lost"))
    bench.line.run()
    clock.advance(100_000)
    bench.comes("PYRO.Read", {"heat": "161843", "temp": 212})
    bench.line.run()
    assert [fields["heat"] for _, fields in CALLED] == ["161843"]
    clock.advance(1_000_000)
    bench.line.run()
    assert [fields["heat"] for _, fields in CALLED] == ["161843", "lost"]
    assert bench.repairs() == []


def test_what_waited_too_long_goes_on_when_what_it_builds_on_was_mended(
    make_bench: Callable[..., Bench], clock: FixedClock
) -> None:
    bench = make_bench()
    bench.line.comes("CC1060", cut(width_head_mm=12800))
    bench.line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    bench.line.run()
    clock.advance(700_000)
    bench.line.run()
    first, second = bench.repairs()
    assert second.reason.startswith("What it builds on did not come in time")
    mend(bench.line.plant, first.repair_id, cut(), actor="p1", command_id="c1")
    done = let_followers_go(bench.line.plant, actor="p1")
    assert (done.mended, done.left) == (1, 0)
    assert bench.repairs() == []
    assert sorted(bench.line.places()) == ["MK1", "YA", "YA1"]


FAULTS = [
    (ENTRY.replace('"length * per_metre"', '"length + per_metre"'), "fields.mass_kg: it adds m and t/m"),
    (ENTRY.replace('length_mm = "length"', 'length_mm = "per_metre"'), "the operation takes mm"),
    (ENTRY.replace('strand = "strand"', 'strand = "length"'), "takes a number without unit"),
    (ENTRY.replace('kind = "code"', 'kind = "length"'), "the operation takes a text, the expression gives a number"),
    (ENTRY.replace("length > 0.5", "lenght > 0.5"), "undeclared reference to 'lenght'"),
    (ENTRY.replace("length > 0.5", "length > per_metre"), "when: it compares m and t/m"),
    (ENTRY.replace("!test && length > 0.5", "length"), "a condition must be true or false"),
    (ENTRY.replace('  cut = "cut"\n', ""), "the operation mapped_cut needs cut"),
    (ENTRY.replace("mapped_cut", "mapped_cat"), "which is no operation"),
    (ENTRY.replace("heat = ", "hoat = "), "the operation takes no hoat"),
    (ENTRY.replace('heat = "heat"', 'heat = "heat'), "it is not TOML"),
    (
        ENTRY.replace('message = "TORCH.Cut"', "message = 7"),
        "operation 'a cut', message: expected a text, got a number",
    ),
    (ENTRY.replace('message = "TORCH.Cut"\n', ""), "operation 'a cut': it lacks the key `message`"),
    (ENTRY + ENTRY, "operation 'a cut' is described twice"),
    (ENTRY.replace('when = "', 'whem = "'), "operation 'a cut': it has the unknown key `whem`"),
    (ENTRY.replace("  kind", '  order = "part_no"\n  kind'), "stands in the rows of parts"),
    (ENTRY.replace('message = "TORCH.Cut"', 'message = "TORCH.Cut"\nunit = "CC9"'), "no unit 'CC9'"),
    (JOINED.replace("pyro_temperature", "pyro_warmth"), "use.pyro: there is no signal"),
    (JOINED.replace("pyro_heat", "cut"), "is no signal of PYRO"),
    (ENTRY + '  [operation.use]\n  x = "CC/LINE/CC1/pyro_heat"', "TORCH.Cut does not tell CC/LINE/CC1/pyro_heat"),
    (WAITS.replace('after = ["pyro"]', 'after = ["heat"]'), "after: heat is not described in `use`"),
]


def test_a_wrong_entry_is_refused_at_the_start_by_file_and_name(make_site: MakeSite, tmp_path: Path) -> None:
    settings = make_site(more=LINK).settings
    for entries, why in FAULTS:
        write_files(tmp_path, SIGNALS + entries)
        with pytest.raises(BadSetup) as caught:
            _ = load_links(settings).mappings
        assert why in caught.value.what
        assert "torch.toml" in caught.value.what
        assert "plant-model.md" in caught.value.todo


WRONG_SIGNALS = [
    ("CC/LINE/CC1/heat", "CC1/heat", "a name is area/line/unit/signal"),
    ("CC/LINE/CC1/heat", "XX/LINE/CC1/heat", "no area 'XX'"),
    ("CC/LINE/CC1/heat", "CC/LINE/CC7/heat", "no unit 'CC7'"),
    ("CC/LINE/CC1/heat", "CC/LINE/CC1/Heat", "must be small letters"),
    ("CC/LINE/CC1/heat", "CC/LINE/*/heat", "the unit is * where"),
    ("CC/LINE/CC1/heat", "CC/LINE/CC1/strand", "described twice"),
    ('unit = "m"', 'unit = "metre"', "'metre' is no unit"),
    ("default = 2.2", 'default = "much"', "its default 'much' is no number"),
    ('lookup = "kinds"', 'lookup = "sorts"', "there is no [lookup.sorts]"),
    ('18 = "crop"', "18 = true", "gives True, which is no text"),
    ('message = "TORCH.Cut"\nfield = "NO"', 'field = "NO"', "say its `message`"),
    ('type = "flag"', 'type = "flag"\nmax = 3', "a flag has no unit, min or max"),
]


def test_a_wrong_signal_is_refused_at_the_start(make_site: MakeSite, tmp_path: Path) -> None:
    settings = make_site(more=LINK).settings
    for was, becomes, why in WRONG_SIGNALS:
        assert was in SIGNALS
        write_files(tmp_path, SIGNALS.replace(was, becomes, 1) + ENTRY)
        with pytest.raises(BadSetup, match=r"torch\.toml") as caught:
            _ = load_links(settings).mappings
        assert why in caught.value.what


def test_nothing_starts_with_a_wrong_mapping(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    write_files(bench.folder, SIGNALS + FAULTS[0][0])
    with pytest.raises(BadSetup, match="it adds m and t/m"):
        Interpreter(bench.line.plant, load_links(bench.line.site.settings))


def test_a_mended_mapping_is_taken_over_and_a_broken_one_is_not(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.comes("TORCH.Cut", told(code=19))
    bench.line.run()
    write_files(bench.folder, SIGNALS + "[[operation]]\n")
    bench.comes("TORCH.Cut", told(heat="second"))
    bench.line.run()
    write_files(bench.folder, SIGNALS.replace('18 = "crop"', '18 = "crop", 19 = "sample"') + ENTRY)
    bench.comes("TORCH.Cut", told(heat="third", code=19))
    bench.line.run()
    assert [(fields["heat"], fields["kind"]) for _, fields in CALLED] == [("second", "slab"), ("third", "sample")]
    (row,) = bench.repairs()
    done = interpret_again(bench.line.plant, row.repair_id, actor="p1", command_id="c1")
    assert done["facts"] == 1
    assert interpret_again(bench.line.plant, row.repair_id, actor="p1", command_id="c1") == done
    facts = [fact for fact in bench.line.facts() if fact.payload.place == "sample"]
    assert {(fact.actor, fact.occurred.source) for fact in facts} == {("l2:TORCH", "l2:TORCH received")}


def test_all_in_repair_go_again_in_their_order(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    for heat in ("one", "two", "three"):
        bench.comes("TORCH.Cut", told(heat=heat, code=19))
    bench.comes("TORCH.Cut", told(heat="bad", strand=7, code=19))
    bench.line.run()
    write_files(bench.folder, SIGNALS.replace('18 = "crop"', '18 = "crop", 19 = "sample"') + ENTRY)
    done = interpret_all_again(bench.line.plant, "TORCH", actor="p1")
    assert (done.mended, done.left) == (3, 1)
    assert "strand is 7, above 2" in bench.repairs()[0].reason  # the reason of now
    assert [fields["heat"] for _, fields in CALLED] == ["one", "two", "three"]


def test_a_trial_records_nothing(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(TEST_CUT + ENTRY)
    plant, plan = bench.line.plant, load_links(bench.line.site.settings)
    good = try_message(plant, plan, "TORCH", "TORCH.Cut", told())
    assert (good.state, good.entry, good.operation, good.unit) == ("done", "a cut", "mapped_cut", "CC1")
    assert (good.facts, good.values["mass_kg"]) == (("MaterialMoved",), 20553)
    assert [(one.entry, one.is_meant, one.why) for one in good.asked] == [
        ("a test cut", False, "test: no"),
        ("a cut", True, ""),
    ]
    bad = try_message(plant, plan, "TORCH", "TORCH.Cut", told(strand=7))
    assert (bad.state, bad.at_fault, bad.facts) == ("bad", "strand", ())
    by_name = try_message(plant, plan, "CC1", "CC1060", cut())
    assert (by_name.state, by_name.entry, by_name.operation) == ("done", "", "test_cut")
    early = try_message(plant, plan, "CC1", "CC1070", {"slab": "1-1-1", "ok": "Y"})
    assert (early.state, early.reason) == ("not_yet", "slab 1-1-1 is not known")
    assert bench.line.facts() == []
    assert bench.repairs() == []


def test_what_is_pasted_is_fields_or_a_telegram(make_bench: Callable[..., Bench]) -> None:
    plan = load_links(make_bench().line.site.settings)
    telegram = "00060CC1070000120260311060000000CC1 MES 0009    161843-2-3  Y"
    from local_mes.level2.telegrams.frame import encode_telegram

    raw = encode_telegram(
        plan.layouts["CC1"], "CC1070", {"slab": "161843-2-3", "ok": "Y"}, sequence=1, claimed="20260311060000000",
        sender="CC1", receiver="MES",
    )  # fmt: skip
    assert read_pasted(plan, "CC1", "", raw.hex(" ")) == ("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    assert read_pasted(plan, "CC1", "", raw.decode()) == ("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    assert read_pasted(plan, "TORCH", "TORCH.Cut", '{"heat": "1"}') == ("TORCH.Cut", {"heat": "1"})
    for link, text in (("CC1", telegram[:9]), ("TORCH", "heat"), ("TORCH", "{")):
        with pytest.raises(BadInput, match="cannot be tried"):
            read_pasted(plan, link, "", text)


def test_the_namespace_has_the_last_value_of_each_signal(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    first = bench.comes("TORCH.Cut", told(parts=[{"n": 1, "cm": 5}, {"n": 2, "cm": 6}]))
    bench.comes("PYRO.Read", {"heat": "161843", "temp": "hot"})
    found = {one.name: one for one in find_live(bench.line.plant, load_links(bench.line.site.settings))}
    length = found["CC/LINE/CC1/length"]
    assert (length.value, length.unit, length.state, length.spool_id) == (9.3, "m", "no data", first)
    assert (length.source, length.used_by, length.link) == ("TORCH.Cut.position.len", "a cut", "TORCH")
    assert found["CC/LINE/CC1/code"].value == "slab"
    assert found["CC/LINE/CC1/part_length"].value == "5, 6"
    assert (
        found["CC/LINE/CC1/pyro_temperature"].state,
        "no number" in found["CC/LINE/CC1/pyro_temperature"].reason,
    ) == (
        "bad",
        True,
    )


@pytest.mark.parametrize(
    ("source", "unit"),
    [
        ("speed * time", "m"),
        ("time * speed + length", "m"),
        ("-length", "m"),
        ("(length + 1) / 2", "m"),
        ("mass / length / length", "kg/m/m"),
        ("length > 3 ? length : 4.0", "m"),
        ("length / length", ""),
        ("double(length) * 2", "m"),
        ("math.round(length)", "m"),
        ("math.least(length, 4, speed * time) * 2", "m"),
    ],
)
def test_the_unit_of_an_expression(source: str, unit: str) -> None:
    known = {"speed": "m/min", "time": "min", "length": "m", "mass": "kg", "width": "mm", "hot": "F"}
    found = unit_of(source, {name: measure(one) for name, one in known.items()})
    if unit.count("/") == 2:
        assert (found.powers, found.factor) == ((("length", -2), ("mass", 1)), measure("kg").factor / 10**6)
    else:
        assert found.is_same(measure(unit))


@pytest.mark.parametrize(
    "source", ["length + width", "length > width", "math.least(length, width)", "a == 'x' ? length : mass", "hot - hot"]
)
def test_units_that_do_not_go_together(source: str) -> None:
    known = {"length": "m", "mass": "kg", "width": "mm", "hot": "F"}
    with pytest.raises(UnitError):
        unit_of(source, {name: measure(one) for name, one in known.items()})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("math.round(a)", 3),
        ("math.least(a, 2, 7)", 2),
        ("math.greatest(a, 2)", 2.5),
        ("math.ceil(a)", 3),
        ("-math.round(-a)", 3),
    ],
)
def test_figures_are_rounded_and_compared_in_mappings_and_not_in_what_plants_share(source: str, value: float) -> None:
    assert ENGINE.compile(source, {"a": "number"}).evaluate({"a": 2.5}) == Value(value)
    with pytest.raises(SourceError, match="math"):
        RULES.compile(source, {"a": "number"})


def test_conversion_is_exact() -> None:
    from fractions import Fraction

    for value, given, wanted, is_ in (
        ("9.3", "m", "mm", 9300),
        ("212", "F", "C", 100),
        ("1", "short_ton", "g", Fraction("907184.74")),
        ("0.27", "%", "e5", 27000),
        ("1", "in", "um", 25400),
        ("60", "m/min", "m/s", 1),
        ("275", "g/m2", "kg/m2", Fraction("0.275")),
    ):
        assert convert(Fraction(value), measure(given), measure(wanted)) == is_
    with pytest.raises(UnitError, match="kg cannot become m"):
        convert(Fraction(1), measure("kg"), measure("m"))


def test_the_example_of_the_documents_can_be_used(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    from local_mes.production import operations as operations  # registers what messages can mean

    section = (root / "docs" / "plant-model.md").read_text().partition("## Mapping")[2]
    link, file = [block.partition("```")[0] for block in section.split("```toml")[1:3]]
    model = (root / "demo" / "plants" / "ald" / "model.toml").read_text()
    shutil.copytree(root / "demo" / "plants" / "ald", tmp_path / "ald")
    more = '  [link.settings]\n  message = "CC1.Shift"\n  format = "csv"\n'
    (tmp_path / "ald" / "model.toml").write_text(model + link.replace('"mapping/cc1.toml"', '"shift.toml"') + more)
    (tmp_path / "ald" / "shift.toml").write_text(file)
    settings = PlantSettings(
        code="ALD", name="A", folder=tmp_path, model=tmp_path / "ald" / "model.toml", hub_url="http://127.0.0.1:1"
    )
    config = tmp_path / "ald.toml"
    config.write_text(
        f'code = "ALD"\nname = "A"\nfolder = "{tmp_path}"\nmodel = "{settings.model}"\nhub_url = "http://127.0.0.1:1"\n'
    )
    done = CliRunner().invoke(cli, ["plant", "mapping", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert "shift.toml: CC1.Shift is heat_summary (slabs of a heat, one a line)" in done.output
    mapping = load_links(settings).mappings.by_link["CC1-FILES"]
    fields = {"HEAT_NO": "161843", "LEN": "9,3", "kind": "1", "strand": "2", "cut": 3}
    message = Message("s", 1, "CC1-FILES", "CC1.Shift", fields, 0, "", None, 0)
    found = apply(mapping, message, Spooled(None))  # type: ignore[arg-type]
    assert found.fields["slabs"] == [
        {"strand": 2, "cut": 3, "cold_length_mm": 9300, "width_mm": 1280, "mass_kg": 20460}
    ]
    assert (found.unit, found.operation) == ("CC1", "heat_summary")

    (tmp_path / "ald" / "shift.toml").write_text(file.replace("length * per_metre", "length + per_metre"))
    wrong = subprocess.run(
        [str(Path(sys.executable).parent / "strandline"), "plant", "mapping", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert wrong.returncode == 2
    assert "operation 'slabs of a heat, one a line': fields.mass_kg: it adds m and t/m" in wrong.stderr


def test_what_an_operation_takes_is_read_from_one_line() -> None:
    assert read_takes("heat:text head_mm ct_c? zinc:g/m2 slabs[strand mass_kg]") == (
        Input("heat", "text"),
        Input("head_mm", "whole", "mm"),
        Input("ct_c", "number", "C", True),
        Input("zinc", "whole", "g/m2"),
        Input("slabs", "rows", rows=(Input("strand", "whole"), Input("mass_kg", "whole", "kg"))),
    )
    with pytest.raises(TypeError):
        read_takes("Heat!")
