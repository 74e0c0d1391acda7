"""The standards office: an author, an approver, and two key holders who sign in processes of their own with
`strandline standards`.

The hub never sees a key: each holder fetches the signing request as a file, signs it with the command, and the answer
goes back.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from demo.simulator.people import Desk, Refused

SIGN_S = 60
NOT_FOUND = 404


@dataclass(frozen=True)
class Office:
    """author, approver: their desks at the hub. documents: folder of `ID-vN.json`. holders: their secret key files."""

    author: Desk
    approver: Desk
    documents: Path
    holders: tuple[Path, ...]
    command: tuple[str, ...]
    """How `strandline` is called."""
    work: Path

    def release(self, names: Sequence[str], command_id: str) -> None:
        """Draft, submit, approve each `ID vN`, then have the catalogue signed."""
        for i, name in enumerate(names):
            document = json.loads((self.documents / f"{name.replace(' ', '-')}.json").read_text())
            self._bring(document, f"{command_id}-{i}")
        self._sign(command_id)

    def _bring(self, document: dict[str, Any], command_id: str) -> None:
        version = f"standards/{document['id']}/{document['version']}"
        self.author.post("/api/v1/standards", {"command_id": f"{command_id}-d", "document": document})
        self.author.post(f"/api/v1/{version}/submit", {"command_id": f"{command_id}-s"})
        seen = self.approver.get(version)
        self.approver.post(f"/api/v1/{version}/approve", {"command_id": f"{command_id}-a", "sha256": seen["sha256"]})

    def _sign(self, command_id: str) -> None:
        """Each holder for himself; the signature that completes the threshold publishes."""
        try:
            request = self.approver.get("standards/requests/open")
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return  # signed and published before the simulator was stopped
            raise
        names = [f"{command_id}-{i}" for i in range(len(self.holders))]
        with ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(partial(self._signed, request), self.holders, names))
        for answer in answers:
            self.approver.post(f"/api/v1/standards/requests/{request['request_id']}/signatures", answer)

    def _signed(self, request: dict[str, Any], key: Path, name: str) -> dict[str, Any]:
        asked, answered = self.work / f"request-{name}.json", self.work / f"answer-{name}.json"
        asked.write_text(json.dumps(request))
        done = subprocess.run(
            [*self.command, "standards", "sign", "--request", str(asked), "--key", str(key), "--out", str(answered)],
            capture_output=True,
            text=True,
            timeout=SIGN_S,
            check=False,
        )
        if done.returncode:
            raise Refused(done.returncode, f"the key holder {key.stem} does not sign: {done.stderr}")
        signed: dict[str, Any] = json.loads(answered.read_text())
        return signed
