"""The JSON schema of EPCIS 2.0 that GS1 publishes, words of the CBV included, asked through a validator of others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PEER = Path(__file__).parents[1] / "peers" / "epcis"


def faults_of(document: dict[str, Any]) -> list[str]:
    """What the schema has against a document; skips the test where Node or the schema is not installed (make peers)."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None or not (PEER / "node_modules").is_dir():
        pytest.skip("no Node here, or the schema is not installed: make peers")
    asked = [node, str(PEER / "check.mjs")]
    done = subprocess.run(asked, input=json.dumps(document), capture_output=True, text=True, timeout=120, check=True)
    return [str(fault) for fault in json.loads(done.stdout)]
