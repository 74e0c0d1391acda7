"""Standards: asking a rule, a heat's sixty checks with their explanations on record, binding, who runs what.

The reference of a rule is the bare expression language: the same condition compiled once, asked with values that are
ready in the field's units, its answer looked at and nothing kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cel_expr_python import cel
from sqlalchemy import insert

from central_hub.conformance.service import read_matrix
from central_hub.hub import Hub
from central_hub.plants.tables import plant as plants
from shared.clock import SystemClock
from shared.db.engine import read, write
from shared.journal.bulk import record_many
from shared.journal.fact import Draft, Occurred
from shared.keys import new_key
from shared.node import build_node, create_tables, make_folder
from shared.quality.facts import CheckDecided
from shared.rules.document import Expression
from shared.rules.evaluate import evaluate
from shared.rules.tokens import with_doubles
from shared.settings import HubSettings, check
from shared.standards import tables
from shared.standards.binding import Equipment, bind, effective_hash
from shared.standards.canonical import body_of, sha256
from shared.standards.documents import AnyStandard, QualityRule, parse_document
from shared.standards.facts import InstalledStandard
from shared.standards.messages import CATALOGUE, Catalogue, CatalogueEntry, encode
from shared.subjects import REGISTERS

EXAMPLES = Path(__file__).parents[1] / "demo" / "standards"
ASKED = 20_000
CHECKS = 60
PLANTS, STANDARDS = 40, 500
BOUND: dict[str, int | str] = {"CC1.slab_length_mm": 9300, "CC1.granularity": "strand"}
GIVEN: dict[str, int | float | str | bool | None] = {"grade": "L06", "Cu": 2700, "Sn": 220}
READY: dict[str, object] = {"grade": "L06", "Cu": 0.27, "Sn": 0.022}
TYPES = {"number": cel.Type.DOUBLE, "text": cel.Type.STRING, "flag": cel.Type.BOOL}


@dataclass(frozen=True)
class Standards:
    """Rules asked a second, and bare; a heat's checks (ms); binding (s); the matrix (ms)."""

    asked: float
    bare: float
    heat_ms: float
    binding_s: float
    matrix_ms: float


def measure_standards(folder: Path) -> Standards:
    """One run of all."""
    rule = parse_document(json.loads((EXAMPLES / "QR-RES-01-v2.json").read_text()))
    if not isinstance(rule, QualityRule):
        raise AssertionError("the example is no rule any more")
    asked, bare = _turns(rule)
    hub = _hub(folder)
    try:
        return Standards(asked, bare, _heat(hub, rule), _bind(), _matrix(hub))
    finally:
        hub.node.engine.dispose()


def _turns(rule: QualityRule) -> tuple[float, float]:
    """Ours and the bare one by turns, so that both have the machine's same minutes.

    Bare are the rule's two expressions (whom it is for, what must be true) as the library evaluates them.
    """
    check = rule.rule.check
    if not isinstance(check, Expression):
        raise AssertionError("the example is no expression any more")
    env = cel.NewEnv(variables={used.name: TYPES[used.type] for used in check.variables})
    compiled = [env.compile(with_doubles(source)) for source in (check.applies, check.condition)]
    ours, bare = [], []
    for _ in range(10):
        ours.append(_rate(lambda: evaluate(rule.rule, GIVEN)))
        bare.append(_rate(lambda: [each.eval(env.Activation(READY)).value() for each in compiled]))
    return median(ours), median(bare)


def _rate(call: Any) -> float:
    begin = time.perf_counter()
    for _ in range(ASKED // 10):
        call()
    return ASKED / 10 / (time.perf_counter() - begin)


def _heat(hub: Hub, rule: QualityRule) -> float:
    """Sixty checks of one heat in one transaction, each with inputs and explanation; the median of twenty heats, in ms."""
    spans = []
    for heat in range(20):
        begin = time.perf_counter()
        with hub.journal.work() as tx:
            at = Occurred(tx.now_ms(), "system")
            record_many(tx, [_decided(rule, f"{heat}-{n}", at) for n in range(CHECKS)])
        spans.append(1000 * (time.perf_counter() - begin))
    return median(spans)


def _decided(rule: QualityRule, number: str, at: Occurred) -> Draft[CheckDecided]:
    found = evaluate(rule.rule, GIVEN)
    fact = CheckDecided(
        decision_id=f"d{number}",
        rule_id=rule.id,
        rule_version=rule.version,
        rule_hash="0" * 64,
        material_id=f"m{number}",
        outcome="hold" if found.violated else "pass",
        inputs=dict(found.inputs),
        explanation=found.reason,
    )
    return Draft(payload=fact, subjects=(f"m{number}",), actor="rule", occurred=at)


def _bind() -> float:
    units = [Equipment(f"U{n}", name) for n, name in enumerate(("slab_caster", "ladle_furnace", "galvaniser"))]
    documents = [_document(n) for n in range(STANDARDS)]
    begin = time.perf_counter()
    for document in documents:
        bind(document, "P01", units)
    return time.perf_counter() - begin


def _matrix(hub: Hub) -> float:
    """The median of five reads, in ms; the first one, which parses every document, is not one of them."""
    _fill(hub)
    spans = []
    for _ in range(6):
        begin = time.perf_counter()
        with read(hub.node.engine) as conn:
            matrix = read_matrix(conn, hub)
        spans.append(1000 * (time.perf_counter() - begin))
    if matrix.count("runs_it") != PLANTS * STANDARDS or any(plant.hash_differs for plant in matrix.plants):
        raise AssertionError("not every cell of the matrix is as it was filled")
    return median(spans[1:])


def _document(number: int) -> AnyStandard:
    document = json.loads((EXAMPLES / "R-GISLIT-v7.json").read_text())
    return parse_document({**document, "id": f"R-{number:04d}", "version": 1})


def _hub(folder: Path) -> Hub:
    settings = check(HubSettings, {"code": "HUB", "name": "Group", "folder": folder}, "the bench")
    make_folder(settings)
    hub = Hub(build_node(settings, REGISTERS, SystemClock()), settings)
    create_tables(hub.node.engine)
    return hub


def _fill(hub: Hub) -> None:
    """Rows as they would be when every plant runs every standard; the catalogue under a key made here."""
    bodies = [(d.id, body_of(d)) for d in map(_document, range(STANDARDS))]
    entries = tuple(_entry(name, body) for name, body in bodies)
    catalogue = Catalogue(version=1, hub=hub.code, issued_at_ms=1, entries=entries)
    envelope = encode(new_key().seal(CATALOGUE, encode(catalogue))).decode()
    codes = [f"P{n:02d}" for n in range(PLANTS)]
    shared = {"author": hub.code, "version": 1}
    with write(hub.node.engine) as conn:
        conn.execute(
            insert(tables.catalogue),
            [{**shared, "sha256": "0", "envelope": envelope, "fact_id": "f", "published_ms": 1}],
        )
        conn.execute(insert(tables.standard_version), [{**shared, **_version(name, body)} for name, body in bodies])
        conn.execute(insert(plants), [{"code": c, "name": c, "fingerprint": "f", "enrolled_at_ms": 1} for c in codes])
        for code in codes:
            conn.execute(insert(tables.in_force), [_in_force(code, name, body) for name, body in bodies])
            conn.execute(insert(tables.adoption), [_adoption(code, bodies)])


def _entry(name: str, body: bytes) -> CatalogueEntry:
    return CatalogueEntry(
        id=name,
        version=1,
        release=1,
        kind="routing",
        title=name,
        sha256=sha256(body),
        length=len(body),
        schema=1,
        takes_hold="next_step",
        effective_from_ms=0,
        status="active",
    )


def _version(name: str, body: bytes) -> dict[str, Any]:
    told = {"standard_id": name, "kind": "routing", "title": name, "status": "published", "sha256": sha256(body)}
    return {**told, "body": body.decode()}


def _adoption(plant: str, bodies: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """What the plant reports of its set as a whole, which the matrix holds against the set."""
    installed = [InstalledStandard(name, 1, sha256(body), 0, BOUND) for name, body in bodies]
    versions = {"catalogue_version": 1, "assignment_version": 1, "adopted_ms": 1}
    hashed = {"author": plant, "fact_id": plant, "effective_hash": effective_hash(installed, ())}
    return {**hashed, **versions, "equipment": "{}", "deviations": "[]"}


def _in_force(plant: str, name: str, body: bytes) -> dict[str, Any]:
    return {
        "author": plant,
        "standard_id": name,
        "version": 1,
        "sha256": sha256(body),
        "effective_from_ms": 0,
        "adopted_ms": 1,
        "until_ms": None,
        "bound": json.dumps(BOUND),
    }
