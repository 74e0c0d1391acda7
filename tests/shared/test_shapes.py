"""Many threads that use message types for the first time at once: the process must survive that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

import local_mes.wsgi  # noqa: F401  (a plant's message types)
from shared.shapes import make_shapes_ready

PROGRAM = """
import sys, threading
from typing import Annotated
import msgspec
from shared.shapes import make_shapes_ready

sys.setswitchinterval(1e-6)
BODY = b'{"a":[{"x":1,"s":"abc"}],"b":{"x":2,"s":"q"},"d":{"k":{"x":3,"s":"z"}}}'

def shape(n):
    number, word = Annotated[int, msgspec.Meta(ge=0)], Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
    part = msgspec.defstruct(f"Part{n}", [("x", number), ("s", word)])
    return msgspec.defstruct(f"Whole{n}", [("a", tuple[part, ...]), ("b", part | None), ("d", dict[str, part])])

shapes = [shape(n) for n in range(200)]
make_shapes_ready()
gate = threading.Barrier(6)

def read_all():
    for whole in shapes:
        gate.wait()
        msgspec.json.decode(BODY, type=whole)

threads = [threading.Thread(target=read_all) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("survived")
"""


def test_first_use_of_message_types_by_many_threads_does_not_end_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "survived"), done.stderr[-500:]


def test_every_type_of_a_node_can_be_made_ready() -> None:
    assert make_shapes_ready() > 100
    assert make_shapes_ready() == make_shapes_ready()


def test_types_below_types_count() -> None:
    before = make_shapes_ready()
    above = msgspec.defstruct("Above", [("x", int)])
    below = msgspec.defstruct("Below", [("y", int)], bases=(above,))
    assert make_shapes_ready() == before + 2
    assert below(x=1, y=2).y == 2
