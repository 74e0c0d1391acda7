"""The product's commands as the demo gives them: `strandline ...`, by its own entry point, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from demo.runfolder import NotPossible

STEP_S = 120
END = "\x04"
MANY = f"""
import json, sys
from shared.cli import main
for line in sys.stdin:
    sys.argv = ["strandline", *json.loads(line)]
    main()
    print({END!r}, flush=True)
"""


def strandline(*arguments: str) -> list[str]:
    """A command line of the product."""
    script = Path(sys.executable).with_name("strandline")
    if script.exists():
        return [str(script), *arguments]
    return [sys.executable, "-c", "from shared.cli import main; main()", *arguments]


class Commands:
    """A process that runs one command of the product after another, as they are given.

    Nothing but the start of a process a command is saved: a command costs a second of imports and a tenth of a second
    of work. One thread at a time may use it.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", MANY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
            )

    def __enter__(self) -> Commands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()  # the end of its input is its end

    def run(self, *arguments: str) -> str:
        """What the command printed; NotPossible with the product's own words when it refuses."""
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            raise RuntimeError("the process was started without pipes")
        timer = threading.Timer(STEP_S, self._process.kill)
        timer.start()
        try:
            asked.write(json.dumps(arguments) + "\n")
            asked.flush()
            return "".join(_lines_until_end(answered))
        except (BrokenPipeError, EOFError) as error:
            words = self._log.read_text(errors="replace").strip()[-1500:]
            raise NotPossible(f"The demo could not be set up; the product said: {words}") from error
        finally:
            timer.cancel()


def _lines_until_end(answered: IO[str]) -> Iterator[str]:
    while (line := answered.readline()) != f"{END}\n":
        if not line:
            raise EOFError
        yield line
