"""A plant model is whole and valid, or refused in one paragraph."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_mes.model.numbers import get_scheme, next_number, pass_number
from local_mes.model.service import load_model
from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.errors import BadSetup, NotFound
from shared.journal.apply import Appliers
from shared.journal.journal import Journal

PLANTS = Path(__file__).parents[3] / "demo" / "plants"
SMALL = """
[plant]
code = "TST"
name = "Test plant"
zone = "Europe/Warsaw"
production_day_start = "06:00"
shifts = [{ name = "early", start = "06:00" }, { name = "late", start = "18:00" }]
[[area]]
code = "A"
name = "Area"
[[unit]]
code = "CC1"
class = "slab_caster"
area = "A"
[unit.parameters]
mould_thickness_mm = 220
[[numbering]]
code = "TST.slab"
prefix = "T-"
width = 5
first = 8818
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "model.toml"
    file.write_text(SMALL)
    return file


@pytest.mark.parametrize("code", ["ald", "brk", "cld"])
def test_the_plants_of_the_example_group_are_valid(code: str) -> None:
    model = load_model(PLANTS / code / "model.toml")
    assert model.code == code.upper()
    assert all(link.map for link in model.link)
    assert {unit.area for unit in model.unit} <= {area.code for area in model.area}


def test_the_caster_says_what_the_slab_arithmetic_needs() -> None:
    caster = load_model(PLANTS / "ald" / "model.toml").units_of("slab_caster")[0]
    assert caster == load_model(PLANTS / "ald" / "model.toml").unit_of_link("ALD-CC1")
    assert (caster.code, caster.whole("mould_thickness_mm"), caster.whole("hot_shrinkage_ppm")) == ("CC1", 220, 13_000)
    with pytest.raises(BadSetup, match="CC1 needs the parameter 'speed'"):
        caster.whole("speed")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('zone = "Europe/Warsaw"', 'zone = "Europe/Nowhere"', "plant.zone: 'Europe/Nowhere' is no time zone"),
        ('area = "A"\n[unit', 'area = "B"\n[unit', "unit CC1 lies in area 'B', which no \\[\\[area\\]\\] describes"),
        ('class = "slab_caster"', 'clas = "slab_caster"', "unit.1.class: Field required; unit.1.clas"),
        ('start = "06:00" }, {', 'start = "07:00" }, {', "first shift must begin at production_day_start"),
        ("width = 5", "width = 0", "numbering.1.width"),
        ("[plant]", "[plant", "it is not TOML"),
        ('production_day_start = "06:00"', 'production_day_start = "6 am"', "'6 am' is no time of day"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(small: Path, old: str, new: str, said: str) -> None:
    small.write_text(SMALL.replace(old, new))
    with pytest.raises(BadSetup, match=said) as refused:
        load_model(small)
    assert str(small) in str(refused.value)
    assert refused.value.todo


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetup, match=r"none\.toml cannot be used: No such file"):
        load_model(tmp_path / "none.toml")


def test_a_link_without_a_unit_is_named() -> None:
    with pytest.raises(BadSetup, match="No unit of ALD speaks over the link 'ALD-MELT'"):
        load_model(PLANTS / "ald" / "model.toml").unit_of_link("ALD-MELT")


def test_an_unknown_unit_is_named(small: Path) -> None:
    with pytest.raises(NotFound, match="TST has no unit 'CC9'"):
        load_model(small).get_unit("CC9")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    engine = open_engine(f"sqlite:///{tmp_path / 'node.sqlite'}")
    metadata.create_all(engine)
    return Journal("TST", engine, FixedClock(1_000), Appliers())


def test_a_number_is_issued_once_and_never_behind_one_that_was_seen(small: Path, journal: Journal) -> None:
    scheme = get_scheme(load_model(small), "TST.slab")
    with journal.work() as tx:
        assert [next_number(tx, scheme) for _ in range(2)] == ["T-08818", "T-08819"]
        pass_number(tx, scheme, "T-08900")
        pass_number(tx, scheme, "T-08000")
        pass_number(tx, scheme, "X-99999")
    with journal.work() as tx:
        assert next_number(tx, scheme) == "T-08901"


def test_a_rolled_back_number_is_free_again(small: Path, journal: Journal) -> None:
    scheme = get_scheme(load_model(small), "TST.slab")

    def fail() -> None:
        with journal.work() as tx:
            next_number(tx, scheme)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with journal.work() as tx:
        assert next_number(tx, scheme) == "T-08818"


def test_a_scheme_the_model_lacks_is_named(small: Path) -> None:
    with pytest.raises(BadSetup, match=r"has no numbering 'TST\.coil'"):
        get_scheme(load_model(small), "TST.coil")


def test_the_example_of_the_documentation_is_a_valid_model(tmp_path: Path) -> None:
    text = (PLANTS.parents[1] / "docs" / "plant-model.md").read_text()
    (tmp_path / "model.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    model = load_model(tmp_path / "model.toml")
    assert (model.code, model.unit_of_link("CC1-LINK").whole("strands"), model.lane[0].to) == ("MILL2", 2, "BRK")


def test_the_documentation_names_every_parameter_of_a_caster() -> None:
    text = (PLANTS.parents[1] / "docs" / "plant-model.md").read_text()
    caster = load_model(PLANTS / "ald" / "model.toml").unit_of_link("ALD-CC1")
    spelled = text.replace(
        "`slab_length_mm`, `..._min_mm`, `..._max_mm`", "slab_length_mm slab_length_min_mm slab_length_max_mm"
    )
    assert [name for name in caster.parameters if name not in spelled] == []
