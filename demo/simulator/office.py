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

import yaml

from demo.simulator.people import Desk, Refused

SIGN_S = 60
NOT_FOUND = 404


@dataclass(frozen=True)
class Office:
    """author, approver: their desks at the hub. documents: folder of `ID-vN.json`, with a
    `library` of `ID-vN.yaml` in it. holders: their secret key files."""

    author: Desk
    approver: Desk
    documents: Path
    holders: tuple[Path, ...]
    command: tuple[str, ...]
    """How `strandline` is called."""
    work: Path

    def release(self, names: Sequence[str], command_id: str) -> None:
        """Draft, submit and approve all of `ID vN` together, then have the catalogue signed."""
        documents = [self._read(name.replace(" ", "-")) for name in names]
        brought = {"command_id": f"{command_id}-d", "documents": documents, "submit": True}
        self.author.post("/api/v1/standards/batches", brought)
        seen = [self.approver.get(f"standards/{document['id']}/{document['version']}") for document in documents]
        versions = [{"standard_id": s["standard_id"], "version": s["version"], "sha256": s["sha256"]} for s in seen]
        self.approver.post("/api/v1/standards/batches/approve", {"command_id": f"{command_id}-a", "versions": versions})
        self._sign(command_id)

    def _read(self, name: str) -> dict[str, Any]:
        """A document of the group, or of the library beside it."""
        own = self.documents / f"{name}.json"
        text = (own if own.exists() else self.documents / "library" / f"{name}.yaml").read_text()
        read: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)  # JSON is YAML
        return read

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
