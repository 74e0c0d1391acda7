"""The root of trust is rotated: root keys change, a holder's key is lost, and plants follow without being touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from central_hub.standards import publishing, trusting
from central_hub.standards.commands import root_command
from local_mes.standards import service
from shared.db.engine import read
from shared.errors import NotFound, Refused
from shared.keys import new_key
from shared.standards.canonical import sha256
from shared.standards.messages import Key
from shared.standards.queries import find_rejection
from shared.standards.rooting import build_root, sign_root
from shared.standards.signing import read_request, sign_request
from shared.standards.trust import TrustError


def test_a_lost_standards_key_and_the_root_keys_give_way_to_others_and_plants_follow(group: Any) -> None:
    """The root is rotated: other root keys, one holder's key is replaced; what was published is signed anew by itself."""
    group.release("QR-RES-01-v2")
    group.sync()
    before = group.in_force()
    lost, (kept, fresh) = group.holders[0], (group.holders[1], new_key())
    old, root_keys = group.root_keys, [new_key(), new_key()]
    named = [(key.id, Key(key.public.hex(), "holder")) for key in (kept, fresh)]
    online = group.hub.node.key.public.hex()
    document = build_root(2, 1, root_keys, named, online, 2, 2)
    with pytest.raises(TrustError, match="root signature"):
        trusting.trust_root(group.hub, sign_root(document, root_keys).decode(), "auditor")  # not by the one in force
    trusting.trust_root(group.hub, sign_root(document, [*root_keys, *old]).decode(), "auditor")
    group.clock.advance(2 * 86_400_000)
    assert publishing.issue_missing(group.hub) == []  # nothing that a plant would have to refuse
    request = group.request()
    with pytest.raises(Refused, match="does not count"):
        publishing.give_signature(group.hub, sign_request(request, lost), "courier")
    assert publishing.give_signature(group.hub, sign_request(request, kept), "courier") is False
    assert publishing.give_signature(group.hub, sign_request(request, fresh), "courier") is True
    group.sync()
    with read(group.plant.node.engine) as conn:
        state = service.trust_state(conn, group.plant)
        assert find_rejection(conn, "ALD") is None
    assert state is not None
    assert (state.root_version, state.catalogue_version, group.in_force()) == (2, 2, before)


def test_a_request_that_a_lost_key_had_signed_is_finished_by_the_others(group: Any) -> None:
    group.ask("QR-RES-01-v2")
    lost = group.holders[0]
    request = group.request()
    publishing.give_signature(group.hub, sign_request(request, lost), "courier")
    group.holders[0] = new_key()
    named = [(key.id, Key(key.public.hex(), "holder")) for key in group.holders]
    document = build_root(2, 1, group.root_keys, named, group.hub.node.key.public.hex(), 1, 2)
    trusting.trust_root(group.hub, sign_root(document, group.root_keys).decode(), "auditor")
    group.sign()
    group.sync()
    assert group.in_force() == [("QR-RES-01", 2)]


def test_the_hub_takes_root_and_signatures_by_file(group: Any, tmp_path: Path) -> None:
    """What the playbook calls: shown, taken, asked for, signed elsewhere, taken."""
    group.release("QR-RES-01-v2")

    def call(*options: object) -> str:
        command = root_command(lambda _file: group.hub)
        done = CliRunner().invoke(command, ["--config", "x", *map(str, options)], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    shown = call()
    assert shown.startswith(f"Root 1; --online {group.hub.node.key.public.hex()}\n")
    assert "standards: 2 of 2 must sign: holder " in shown
    assert "SIGN AGAIN" not in shown
    group.holders[0] = new_key()
    named = [(key.id, Key(key.public.hex(), "holder")) for key in group.holders]
    document = build_root(2, 1, group.root_keys, named, group.hub.node.key.public.hex(), 1, 2)
    (tmp_path / "root.json").write_bytes(sign_root(document, group.root_keys))
    told = call("--take", tmp_path / "root.json", "--request", tmp_path / "request.json")
    assert "SIGN AGAIN" in told
    assert "for catalogue 2: 0 of 2 signatures" in told
    request = read_request((tmp_path / "request.json").read_bytes())
    for number, holder in enumerate(group.holders):
        (tmp_path / f"{number}.json").write_bytes(msgspec.json.encode(sign_request(request, holder)))
    done = call("--answer", tmp_path / "0.json", "--answer", tmp_path / "1.json")
    assert "SIGN AGAIN" not in done
    assert "Request" not in done


def test_with_all_root_keys_lost_a_plant_begins_anew_by_a_persons_word_alone(group: Any) -> None:
    group.release("QR-RES-01-v2")
    group.sync()
    named = [(key.id, Key(key.public.hex(), "holder")) for key in group.holders]
    fresh = [new_key()]
    envelope = sign_root(build_root(2, 1, fresh, named, group.hub.node.key.public.hex(), 1, 2), fresh).decode()
    trusting.trust_root(group.hub, envelope, "auditor", anew=True)
    group.sync()
    assert (trust_of(group).root_version, group.in_force()) == (1, [("QR-RES-01", 2)])
    with pytest.raises(NotFound):
        service.begin_trust_anew(group.plant, "0" * 64)
    assert service.begin_trust_anew(group.plant, sha256(envelope.encode())) == 2
    group.sync()
    state = trust_of(group)
    assert (state.root_version, state.catalogue_version, group.in_force()) == (2, 1, [("QR-RES-01", 2)])


def trust_of(group: Any) -> service.TrustState:
    with read(group.plant.node.engine) as conn:
        state = service.trust_state(conn, group.plant)
    assert state is not None
    return state
