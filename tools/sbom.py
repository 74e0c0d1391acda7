"""What a bundle is made of, as CycloneDX 1.5 JSON: read from the wheels themselves and from npm's lock."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

Component = dict[str, Any]


def make_sbom(wheels: Path, npm_lock: Path, release: str) -> str:
    """The document; our own wheel is its subject, every other part a component."""
    parts = [_of_wheel(file) for file in sorted(wheels.glob("*.whl"))]
    own = next(part for part in parts if part["name"] == "strandline")
    others = [part for part in parts if part is not own]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**own, "type": "application", "version": release}},
        "components": [*others, *_of_npm(npm_lock)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _of_wheel(file: Path) -> Component:
    with zipfile.ZipFile(file) as content:
        name = next(entry for entry in content.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", entry))
        said = HeaderParser().parsestr(content.read(name).decode("utf-8"))
    canonical = re.sub(r"[-_.]+", "-", said["Name"]).lower()
    reference = f"pkg:pypi/{canonical}@{said['Version']}"
    component = {
        "type": "library",
        "bom-ref": reference,
        "name": said["Name"],
        "version": said["Version"],
        "purl": reference,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
    }
    licence = _licence(said.get("License-Expression"), said.get("License"), said.get_all("Classifier") or [])
    return component | ({"licenses": [licence]} if licence else {})


def _licence(expression: str | None, text: str | None, classifiers: list[str]) -> Component:
    if expression:
        return {"expression": expression}
    named = [
        line.split(" :: ")[-1] for line in classifiers if line.startswith("License :: ") and line.count(" :: ") > 1
    ]
    # the old field sometimes holds the whole licence: its first line is its name
    name = (text or "").strip().splitlines()[:1] or named[:1]
    return {"license": {"name": name[0][:200]}} if name and name[0] else {}


def _of_npm(lock: Path) -> list[Component]:
    """Browser libraries: they lie in our wheel, and npm's lock says which they are."""
    if not lock.is_file():
        return []
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    found = []
    for path, package in sorted(packages.items()):
        if not path:
            continue
        name = path.removeprefix("node_modules/")
        reference = f"pkg:npm/{name}@{package['version']}"
        kind, _, digest = package["integrity"].partition("-")
        found.append(
            {
                "type": "library",
                "bom-ref": reference,
                "name": name,
                "version": package["version"],
                "purl": reference,
                "hashes": [{"alg": kind.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
                "licenses": [{"license": {"name": package.get("license", "unknown")}}],
            }
        )
    return found
