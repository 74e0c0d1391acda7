"""python -m demo.campaign --seeds 1..10: whole days one after another, on SQLite and with the hub on PostgreSQL.

One line a day with its time, the judge's word and how many facts it was about; the last line is the sum. A day that
does not end with a content judge is a violation; its folder is kept and named, the others are removed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from demo.supervisor import end_leftovers, python
from tools.postgres import find_programs, temporary_cluster

AUTO, NONE = "auto", "none"
LONGEST_S = 3_600
FINDINGS_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """How a day ended. facts = recorded by all plants; why = what was wrong, '' when the judge was content."""

    seconds: float
    facts: int
    why: str


def main() -> int:
    """Exit 0 when no day was a violation, 1 when one was, 2 when it could not begin."""
    args = _arguments()
    days = violations = 0
    kept = Path(tempfile.mkdtemp(prefix="strandline-campaign-"))
    with _hub_databases(args.hub_db) as server:
        for seed in args.seeds:
            for name, database in (("SQLite", ""), ("PostgreSQL", server)):
                if name == "PostgreSQL" and not server:
                    continue
                folder = kept / f"{seed}-{name.lower()}"
                with _database(database, f"day_{seed}") as url:
                    outcome = _play(folder, seed, args.size, url)
                days, violations = days + 1, violations + bool(outcome.why)
                _tell(seed, name, outcome, folder)
    if not violations:
        shutil.rmtree(kept)
    print(f"{days} days, {violations} violations")
    return 1 if violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.campaign", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=range(1, 11), help="1..10, or 3,5,8")
    parser.add_argument("--size", choices=("full", "small"), default="full")
    parser.add_argument(
        "--hub-db",
        default=AUTO,
        help="postgresql+psycopg://... of a server where databases may be made; auto: a server of its own where"
        " PostgreSQL is installed; none: SQLite alone",
    )
    return parser.parse_args()


def _seeds(text_of: str) -> list[int]:
    first, dots, last = text_of.partition("..")
    try:
        found = list(range(int(first), int(last) + 1)) if dots else [int(part) for part in text_of.split(",")]
    except ValueError:
        found = []
    if not found:
        raise argparse.ArgumentTypeError(f"{text_of!r} is neither a range such as 1..10 nor a list such as 3,5,8")
    return found


@contextlib.contextmanager
def _hub_databases(asked: str) -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database; '' = there is none, or it is not wanted."""
    programs = find_programs() if asked == AUTO else None
    if programs is not None:
        with temporary_cluster(programs, fsync=True) as url:
            yield url
        return
    if asked == AUTO:
        print("No PostgreSQL server programs on this machine: SQLite alone.")
    yield "" if asked in (AUTO, NONE) else asked


@contextlib.contextmanager
def _database(server: str, name: str) -> Iterator[str]:
    """A fresh database of the hub's on that server, dropped afterwards; '' for SQLite."""
    if not server:
        yield ""
        return
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    drop = text(f"DROP DATABASE IF EXISTS strandline_{name} WITH (FORCE)")
    try:
        with admin.connect() as conn:
            conn.execute(drop)
            conn.execute(text(f"CREATE DATABASE strandline_{name}"))
        yield make_url(server).set(database=f"strandline_{name}").render_as_string(hide_password=False)
        with admin.connect() as conn:
            conn.execute(drop)
    finally:
        admin.dispose()


def _play(folder: Path, seed: int, size: str, hub_db: str) -> Outcome:
    command = python("demo", "--once", "--json", "--seed", str(seed), "--size", size, "--ports", "auto")
    more = ["--dir", str(folder), *(["--hub-db", hub_db] if hub_db else [])]
    since = time.monotonic()
    try:
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        end_leftovers(folder)
        return Outcome(time.monotonic() - since, 0, f"not over after {LONGEST_S} s")
    seconds = time.monotonic() - since
    try:
        summary = json.loads(done.stdout)
    except json.JSONDecodeError:
        return Outcome(seconds, 0, f"exit {done.returncode}: {done.stderr.strip()[-800:]}")
    facts = sum(plant["recorded"] for plant in summary["plants"].values())
    if done.returncode == 0 and summary["content"]:
        return Outcome(seconds, facts, "")
    shown = [f"{f['check']} {f['subject']}: {f['text']}" for f in summary["findings"][:FINDINGS_SHOWN]]
    return Outcome(seconds, facts, "\n    ".join([f"exit {done.returncode}", *shown]))


def _tell(seed: int, name: str, outcome: Outcome, folder: Path) -> None:
    word = f"VIOLATION, kept in {folder}: {outcome.why}" if outcome.why else "content"
    print(f"seed {seed:>3}  hub on {name:10}  {outcome.seconds:6.1f} s  {outcome.facts:6} facts  {word}", flush=True)
    if not outcome.why:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
