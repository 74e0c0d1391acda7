"""A bundle's parts: the site's share of the lock, and the list of what is in it."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tools.requirements import read_lock, site_pins
from tools.sbom import make_sbom

ROOT = Path(__file__).parents[2]


def test_a_site_gets_what_runs_and_nothing_of_tests_each_with_its_hashes() -> None:
    pins = {pin.name: pin for pin in site_pins(ROOT, ("mqtt", "modbus", "s7"))}
    assert {"sqlalchemy", "psycopg-binary", "gunicorn", "paho-mqtt", "pymodbus", "python-snap7", "cffi"} <= set(pins)
    assert not {"pytest", "ruff", "mypy", "playwright", "hatchling"} & set(pins)
    assert all("--hash=sha256:" in pin.text for pin in pins.values())
    assert all("://" not in pin.text for pin in pins.values())


def test_the_lock_is_read_whole() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert len(read_lock(ROOT / "requirements.lock")) == text.count("==") - text.count("# ==")


def make_wheel(folder: Path, name: str, version: str, *lines: str) -> Path:
    file = folder / f"{name}-{version}-py3-none-any.whl"
    said = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, "", "words"])
    with zipfile.ZipFile(file, "w") as content:
        content.writestr(f"{name}-{version}.dist-info/METADATA", said)
        content.writestr(f"{name}/_vendor/other-1.dist-info/METADATA", "Name: other\n\n")
    return file


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT"], {"expression": "MIT"}),
        (["License: BSD-3-Clause"], {"license": {"name": "BSD-3-Clause"}}),
        (["Classifier: License :: OSI Approved :: MIT License"], {"license": {"name": "MIT License"}}),
    ],
)
def test_the_list_names_each_part_with_version_licence_and_hash(
    tmp_path: Path, lines: list[str], licence: object
) -> None:
    make_wheel(tmp_path, "strandline", "0.1.0")
    part = make_wheel(tmp_path, "some_part", "2.0", *lines)
    lock = tmp_path / "package-lock.json"
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(b"x").digest()).decode()
    package = {"version": "2.0.11", "integrity": integrity, "license": "0BSD"}
    lock.write_text(json.dumps({"packages": {"": {}, "node_modules/htmx.org": package}}))
    made = json.loads(make_sbom(tmp_path, lock, "0.1.0-abc"))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    assert made["metadata"]["component"]["version"] == "0.1.0-abc"
    python, browser = made["components"]
    assert (python["purl"], python["licenses"]) == ("pkg:pypi/some-part@2.0", [licence])
    assert python["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(part.read_bytes()).hexdigest()}]
    assert (browser["purl"], browser["hashes"][0]["alg"]) == ("pkg:npm/htmx.org@2.0.11", "SHA-512")
    assert browser["hashes"][0]["content"] == hashlib.sha512(b"x").hexdigest()
