"""The key holders' commands, as processes run them: files in, files out, no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.errors import BadInput, BadSetup
from shared.keys import Envelope, Signature, load_key, new_key, open_envelope
from shared.standards.canonical import sha256
from shared.standards.cli import standards
from shared.standards.messages import CATALOGUE, Catalogue, CatalogueEntry, encode
from shared.standards.trust import first_root

BODY = (Path(__file__).parents[3] / "demo" / "standards" / "KPI-YLD-v2.json").read_text()


def run(*args: object) -> str:
    result = CliRunner().invoke(standards, [str(arg) for arg in args], catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for name in ("root", "quality", "process"):
        run("keygen", "--out", tmp_path / "keys", "--name", name)
    return tmp_path / "keys"


def make_root(keys: Path, *more: object, online: str = "") -> Path:
    out = keys / "root.json"
    run(
        "root",
        "--root-key",
        keys / "root.pem",
        "--standards-key",
        keys / "quality.pub",
        "--standards-key",
        keys / "process.pub",
        "--online",
        online or new_key().public.hex(),
        "--out",
        out,
        *more,
    )
    return out


def make_request(path: Path, body: str = BODY) -> Path:
    entry = CatalogueEntry(
        id="KPI-YLD",
        version=2,
        release=1,
        kind="kpi",
        title="Yield",
        sha256=sha256(BODY.encode()),
        length=len(BODY.encode()),
        schema=1,
        takes_hold="at_once",
        effective_from_ms=0,
        status="active",
    )
    text = encode(Catalogue(version=1, hub="HUB", issued_at_ms=0, entries=(entry,))).decode()
    request = {
        "request_id": "r1",
        "hub": "HUB",
        "catalogue": text,
        "sha256": sha256(text.encode()),
        "new": ["KPI-YLD"],
        "bodies": {entry.sha256: body},
    }
    path.write_text(json.dumps(request))
    return path


def test_a_secret_key_is_private_and_never_overwritten(keys: Path) -> None:
    assert (keys / "quality.pem").stat().st_mode & 0o777 == 0o600
    assert load_key(keys / "quality.pem").public.hex() == json.loads((keys / "quality.pub").read_text())["public"]
    with pytest.raises(BadSetup):
        run("keygen", "--out", keys, "--name", "quality")


def test_root_names_the_keys_and_the_threshold(keys: Path) -> None:
    root = first_root(make_root(keys).read_bytes())
    assert root.roles["standards"].threshold == 2
    assert sorted(root.keys[keyid].holder for keyid in root.roles["standards"].keyids) == ["process", "quality"]


@pytest.mark.parametrize(("more", "error"), [(("--threshold", 3), BadInput), (("--root-threshold", 2), BadInput)])
def test_a_threshold_nobody_can_reach_is_refused(keys: Path, more: tuple, error: type[Exception]) -> None:
    with pytest.raises(error):
        make_root(keys, *more)
    assert not (keys / "root.json").exists()


@pytest.mark.parametrize("online", ["xyz", "A" * 64, "0" * 63])
def test_the_hubs_key_must_be_a_key(keys: Path, online: str) -> None:
    with pytest.raises(BadSetup):
        make_root(keys, online=online)


def test_sign_shows_what_is_signed_and_writes_an_answer_that_verifies(keys: Path) -> None:
    request = make_request(keys / "request.json")
    shown = run("sign", "--request", request, "--key", keys / "quality.pem", "--out", keys / "answer.json")
    assert "NEW       KPI-YLD v2 (release 1, active, all plants)" in shown
    answer = json.loads((keys / "answer.json").read_text())
    text = json.loads(request.read_text())["catalogue"]
    key = load_key(keys / "quality.pem")
    sealed = key.seal(CATALOGUE, text.encode())
    envelope = Envelope(CATALOGUE, sealed.payload, (Signature(answer["keyid"], answer["sig"]),))
    assert open_envelope(envelope, CATALOGUE, {key.id: key.public}) == text.encode()


def test_a_request_whose_document_was_swapped_is_not_signed(keys: Path) -> None:
    request = make_request(keys / "request.json", BODY.replace("97", "98").replace("Yield", "Yeild"))
    with pytest.raises(BadInput, match="Do not sign"):
        run("sign", "--request", request, "--key", keys / "quality.pem", "--out", keys / "answer.json")
    assert not (keys / "answer.json").exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_what_is_no_request_is_said_so(keys: Path, content: str) -> None:
    (keys / "request.json").write_text(content)
    with pytest.raises(BadInput, match="no signing request"):
        run("sign", "--request", keys / "request.json", "--key", keys / "quality.pem")


def test_missing_files_are_named(keys: Path) -> None:
    with pytest.raises(BadSetup, match=r"gone\.json"):
        run("sign", "--request", keys / "gone.json", "--key", keys / "quality.pem")
    with pytest.raises(BadSetup, match=r"gone\.pem"):
        run("sign", "--request", make_request(keys / "request.json"), "--key", keys / "gone.pem")
