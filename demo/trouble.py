"""python -m demo.trouble --dir demo-run garbage ALD-CC1: let something go wrong on a wire of a demo that runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from demo.simulator.trouble import ORDERS, USUAL


def main() -> int:
    """Write the order; the simulator carries it out with the link's next message."""
    parser = argparse.ArgumentParser(prog="demo.trouble")
    parser.add_argument("--dir", type=Path, required=True, help="folder of the run")
    parser.add_argument("--value", type=float, help="numbers, seconds or times; the usual one if not said")
    parser.add_argument("kind", choices=sorted(USUAL))
    parser.add_argument("link", help="a link of the group, such as ALD-CC1 or BRK-HSM")
    args = parser.parse_args()
    where = args.dir / "simulator.json"
    if not where.exists():
        print(f"{args.dir} holds no demo run. Start one: python -m demo --dir {args.dir}", file=sys.stderr)
        return 2
    links = json.loads(where.read_text())["links"]
    if args.link not in links:
        print(f"There is no link {args.link}. Links of the demo: {', '.join(links)}.", file=sys.stderr)
        return 2
    order = {"kind": args.kind, "link": args.link, "value": args.value}
    with (args.dir / ORDERS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(order) + "\n")
    print(f"{args.kind} on {args.link} with its next message.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
