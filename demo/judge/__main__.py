"""python -m demo.judge --dir demo-run [--json]: judge a finished run whose servers are still up."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import requests

from demo.judge import journal, material, transfers
from demo.judge.ledger import read
from demo.judge.product import look
from demo.judge.summary import summary
from demo.judge.verdict import Verdict

SHOWN_FINDINGS = 30


def judge(folder: Path) -> dict[str, Any]:
    """Read ledger.jsonl and nodes.json (code -> url, token, kind) of the run and give the summary."""
    world = read(folder / "ledger.jsonl")
    picture = look(json.loads((folder / "nodes.json").read_text()))
    verdict = Verdict()
    for room in (material, transfers, journal):
        room.check(world, picture, verdict)
    return summary(world, picture, verdict)


def main() -> int:
    """Exit 0 when content, 1 when not, 2 when it could not look."""
    parser = argparse.ArgumentParser(prog="demo.judge")
    parser.add_argument("--dir", type=Path, default=Path("demo-run"))
    parser.add_argument("--json", action="store_true", help="print the whole summary as JSON")
    args = parser.parse_args()
    try:
        result = judge(args.dir)
    except (OSError, requests.RequestException, json.JSONDecodeError) as error:
        print(f"The judge could not look: {error}. Are the nodes of {args.dir} running?", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        _tell(result)
    return 0 if result["content"] else 1


def _tell(result: dict[str, Any]) -> None:
    print("The judge is content." if result["content"] else f"The judge has {len(result['findings'])} findings:")
    for finding in result["findings"][:SHOWN_FINDINGS]:
        print(f"  {finding['check']:14} {finding['subject']}: {finding['text']}")
    print(f"  looked at {sum(result['looked_at'].values())} things in {len(result['looked_at'])} checks")


if __name__ == "__main__":
    sys.exit(main())
