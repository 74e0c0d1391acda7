"""The story's step that gives the group another root of trust."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.rollout.asking import must, until
from tools.rollout.machines import run
from tools.rollout.site import ROOT, Site
from tools.rollout.story import Story
from tools.rollout.traffic import Door

RULE = json.loads((ROOT / "demo/standards/QR-CAST-01-v3.json").read_text())
STRANDLINE = (sys.executable, "-c", "from shared.cli import main; main()")


def rotate_root(story: Story) -> str:
    """A first root, then one of another root key with a holder's key replaced; plants on their hosts follow by themselves."""
    site, folder = story.site, story.site.folder / "holders"
    for name in ("root-1", "root-2", "quality", "process", "successor"):
        _standards("keygen", "--out", str(folder), "--name", name)
    online = story.site.hub.ssh("strandline hub standards-root").stdout.split("--online ")[1].split()[0]
    first = _root(folder, 1, online, ("quality", "process"), "--root-key", str(folder / "root-1.pem"))
    site.play("rotate-root", "--limit", "hub", root_document=str(first))
    site.play("enrol-plant", enrol_fingerprints_compared="trial", enrol_again=True)
    _publish(story, folder)
    _follow(site, 1)
    keys = ("--root-key", str(folder / "root-2.pem"), "--previous-key", str(folder / "root-1.pem"))
    strange = _root(folder, 2, online, ("quality", "successor"), *keys[:2])
    refused = site.play("rotate-root", root_document=str(strange), fails=True)
    must("root signature" in refused.said, f"it was refused for another reason: {refused.said[-2000:]}")
    _follow(site, 1)
    second = _root(folder, 2, online, ("quality", "successor"), *keys)
    asked = site.play("rotate-root", root_document=str(second), fails=True)
    must("SIGN AGAIN" in asked.said, f"nobody was asked to sign again: {asked.said[-2000:]}")
    answers = _sign(folder, site.folder / "signing-request.json", ("quality", "successor"))
    played = site.play("rotate-root", root_answers=",".join(map(str, answers)))
    _follow(site, 2)
    again = site.play("rotate-root")
    must(not any(again.changed.values()), f"shown alone, it changed {again.changed}")
    return (
        f"one that the keys before had not signed was refused; hub and plants follow the other, {played.seconds:.0f} s"
    )


def _publish(story: Story, folder: Path) -> None:
    """A standard for both plants, drafted, approved and signed: only under what is published do plants look at a root."""
    author, approver = _office(story, "author"), _office(story, "approver")
    document = {**RULE, "scope": {"plants": sorted(story.site.plants)}, "needs": []}
    author.post("standards/batches", command_id="trial-d", documents=[document], submit=True)
    seen = approver.get(f"standards/{document['id']}/{document['version']}")
    version = {part: seen[part] for part in ("standard_id", "version", "sha256")}
    approver.post("standards/batches/approve", command_id="trial-a", versions=[version])
    asked = approver.get("standards/requests/open")
    (folder / "request.json").write_text(json.dumps(asked))
    for answer in _sign(folder, folder / "request.json", ("quality", "process")):
        approver.post(f"standards/requests/{asked['request_id']}/signatures", **json.loads(answer.read_text()))


def _office(story: Story, role: str) -> Door:
    """Somebody of the standards office, at the hub."""
    people = f'[[person]]\nlogin = "{role}"\nname = "{role}"\nroles = ["{role}"]\ntoken = "trial"\n'
    hub = story.site.hub
    hub.ssh(f"printf '%s' '{people}' > /var/tmp/{role}.toml")
    token = hub.ssh(f"strandline hub people-add --file /var/tmp/{role}.toml").stdout.split()[-1]
    return Door(hub.address, token, story.site.folder / "ca.pem")


def _sign(folder: Path, request: Path, holders: tuple[str, ...]) -> list[Path]:
    """Each holder signs on a machine without the hub; the answers."""
    answers = [folder / f"{holder}.json" for holder in holders]
    for holder, answer in zip(holders, answers, strict=True):
        _standards("sign", "--request", str(request), "--key", str(folder / f"{holder}.pem"), "--out", str(answer))
    return answers


def _follow(site: Site, version: int) -> None:
    for code, machine in site.plants.items():
        until(
            lambda m=machine: m.ssh("strandline plant standards-root").stdout.startswith(f"Root {version};"),  # type: ignore[misc]
            f"{code} does not follow root {version}",
        )


def _root(folder: Path, version: int, online: str, holders: tuple[str, ...], *keys: str) -> Path:
    """A root document as its holders make it, away from the hub."""
    made = folder / f"root-{version}.json"
    named = [part for holder in holders for part in ("--standards-key", str(folder / f"{holder}.pub"))]
    _standards("root", *keys, *named, "--version", str(version), "--online", online, "--out", str(made))
    return made


def _standards(*arguments: str) -> None:
    run(*STRANDLINE, "standards", *arguments, cwd=ROOT)
