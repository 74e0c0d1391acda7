"""python -m tools.golden: a golden sample of every fact type and version that this release writes.

A sample's fact is written once and locked: whatever a plant recorded in that version must be read for ever. What comes
of it (`reads_as`: the payload as today's appliers see it; `rows`: what it puts into or changes in the tables, after the
facts named in `before`) is what the test compares; `--outcomes` writes it anew when a release changes tables on purpose.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import types
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from sqlalchemy import Connection, select

from shared.db.engine import open_engine, write
from shared.db.types import metadata, tables_of_kind
from shared.ids import derived_id
from shared.journal.apply import Appliers
from shared.journal.fact import Fact, Occurred, Payload, StandardRef, Subject, decode, encode, registered, release_of
from shared.subjects import REGISTERS

FOLDER = Path(__file__).parents[1] / "tests" / "golden"
LOCK = FOLDER / "LOCK.sha256"
AUTHOR = "GLD"
AT_MS = 1_773_205_200_000
TEXTS = {
    "kind": "slab",
    "basis": "weighed",
    "mode": "rail",
    "number": "161738-1-1",
    "printed_number": "161738-1-1",
    "grade": "L06",
    "day": "2026-03-11",
    "sha256": "a" * 64,
    "hash": "a" * 64,
    "value": "161738-1-1",
}
"""Texts that rules look at; all others are their field's name."""
NUMBERS = {"custody_no": 1, "version": 1, "share_ppm": 1_000_000, "pieces": 3}
Outcome = dict[str, Any]


def sample_name(kind: str, version: int) -> str:
    """File name of a sample."""
    return f"{kind}.v{version}.json"


def load(name: str) -> Outcome:
    """A stored sample."""
    found: Outcome = json.loads((FOLDER / name).read_text())
    return found


def body_of(sample: Outcome) -> bytes:
    """The fact's bytes as its author made them: deterministic JSON."""
    return msgspec.json.encode(sample["fact"], order="deterministic")


def digest(sample: Outcome) -> str:
    """What the lock holds of a sample."""
    return hashlib.sha256(body_of(sample)).hexdigest()


def read_lock() -> dict[str, str]:
    """File name -> digest."""
    lines = LOCK.read_text().splitlines() if LOCK.exists() else []
    return {name: value for value, name in (line.split("  ") for line in lines)}


@contextmanager
def empty_node() -> Iterator[tuple[Connection, Appliers]]:
    """A connection to empty tables, and the appliers of this release; nothing of it stays."""
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/golden.sqlite")
        metadata.create_all(engine)
        with write(engine) as conn:
            yield conn, appliers
        engine.dispose()


def outcome(conn: Connection, appliers: Appliers, body: bytes, before: Sequence[bytes]) -> Outcome:
    """What comes of a fact here after others; the tables are left as they were."""
    trial = conn.begin_nested()
    for earlier in before:
        appliers.apply(conn, [decode(earlier)])
    old = _rows(conn)
    value = decode(body)
    appliers.apply(conn, [value])
    new = {name: [row for row in rows if row not in old[name]] for name, rows in _rows(conn).items()}
    trial.rollback()
    found = {"reads_as": value.payload, "rows": {name: rows for name, rows in new.items() if rows}}
    plain: Outcome = msgspec.json.decode(msgspec.json.encode(found))
    return plain


def _rows(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: sorted((dict(row) for row in conn.execute(select(table)).mappings()), key=repr)
        for table in tables_of_kind("projection")
    }


def make_fact(kind: str, version: int, payload: Payload) -> bytes:
    """A fact around a payload, the same on every run."""
    ids = [value for name, value in msgspec.structs.asdict(payload).items() if name.endswith("_id")]
    value = Fact(
        fact_id=derived_id(AT_MS, "golden", kind, version),
        type=kind,
        version=version,
        author=AUTHOR,
        actor="golden",
        subjects=tuple(Subject(i, None) for i in dict.fromkeys(ids or [kind])),
        occurred=Occurred(AT_MS - 1_000, "l2:golden", 60),
        recorded_at_ms=AT_MS,
        causes=(derived_id(AT_MS, "cause"),),
        standard=StandardRef("golden-standard", 3, "b" * 64),
        payload=msgspec.Raw(msgspec.json.encode(payload, order="deterministic")),
    )
    return encode(value)


def fill(cls: type[Any], kind: str) -> Any:
    """An instance with every field set, also those that have a default; kind: the fact's type, where it stands."""
    hints = get_type_hints(cls)
    return cls(**{name: _value(name, hint, kind) for name, hint in hints.items() if not name.startswith("__")})


def _value(name: str, hint: Any, kind: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return args[0]
    if origin in (Union, types.UnionType):
        return _value(name, next(arg for arg in args if arg is not type(None)), kind)
    if origin in (tuple, list):
        return origin([_value(name, args[0], kind)])
    if origin in (dict, Mapping):
        return {"C": _value(name, args[1], kind)}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return fill(hint, kind)
    return _plain(name, hint, kind)


def _plain(name: str, hint: Any, kind: str) -> Any:
    if hint is bool:
        return True
    if hint is int:
        return NUMBERS.get(name, 1_000 + zlib.crc32(name.encode()) % 9_000)
    if hint is str:
        text = f"{kind}.scheme" if name == "scheme" else TEXTS.get(name, name)
        return derived_id(AT_MS, name) if name.endswith("_id") else text
    return {"C": 1}


def make_missing() -> list[str]:
    """Write samples of what this release writes and has none; returns their names."""
    lock, made = read_lock(), []
    order = list(registered().items())
    with empty_node() as (conn, appliers):
        for at, ((kind, version), cls) in enumerate(order):
            name = sample_name(kind, version)
            if name in lock:
                continue
            earlier = [sample_name(*key) for key, other in order[:at] if other.__module__ == cls.__module__]
            fact = json.loads(make_fact(kind, version, fill(cls, kind)))
            sample: Outcome = {"since": release_of(kind, version), "before": earlier, "fact": fact}
            sample |= outcome(conn, appliers, body_of(sample), [body_of(load(other)) for other in earlier])
            _write(name, sample)
            lock[name] = digest(sample)
            made.append(name)
    LOCK.write_text("".join(f"{value}  {name}\n" for name, value in sorted(lock.items())))
    return made


def renew_outcomes() -> list[str]:
    """Write anew what comes of the stored facts; returns the samples that changed."""
    changed = []
    with empty_node() as (conn, appliers):
        for name in read_lock():
            sample = load(name)
            fresh = sample | outcome(conn, appliers, body_of(sample), [body_of(load(b)) for b in sample["before"]])
            if fresh != sample:
                _write(name, fresh)
                changed.append(name)
    return changed


def _write(name: str, sample: Outcome) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text(json.dumps(sample, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    done = renew_outcomes() if "--outcomes" in sys.argv[1:] else make_missing()
    print("\n".join(done) or "Nothing to write.")
