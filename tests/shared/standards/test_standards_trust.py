"""Every attack of the threat list (sync-protocol.md, 3.1) against the verification, each with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest

from shared.keys import Envelope, SigningKey, new_key
from shared.standards import messages as m
from shared.standards import trust
from shared.standards.canonical import sha256
from shared.standards.trust import Trusted, TrustError

ROOT_KEYS = [new_key(), new_key(), new_key()]
STANDARDS_KEYS = [new_key(), new_key(), new_key()]
HUB = new_key()
BODY = b'{"id":"QR-X"}'


def seal(payload_type: str, message: object, keys: Sequence[SigningKey]) -> bytes:
    payload = message if isinstance(message, bytes) else m.encode(message)
    first = keys[0].seal(payload_type, payload)
    return m.encode(Envelope(payload_type, first.payload, tuple(key.sign(payload_type, payload) for key in keys)))


def root(
    version: int = 1, standards: Sequence[SigningKey] = STANDARDS_KEYS, online: SigningKey = HUB, threshold: int = 2
) -> m.Root:
    keys = {key.id: m.Key(key.public.hex(), "someone") for key in [*ROOT_KEYS, *standards, online]}
    return m.Root(
        version=version,
        issued_at_ms=0,
        keys=keys,
        roles={
            "root": m.Role(tuple(key.id for key in ROOT_KEYS), 2),
            "standards": m.Role(tuple(key.id for key in standards), threshold),
            "online": m.Role((online.id,), 1),
        },
    )


def entry(name: str = "QR-X", **changes: object) -> m.CatalogueEntry:
    values = {
        "id": name,
        "version": 1,
        "release": 1,
        "kind": "quality_rule",
        "title": "t",
        "sha256": sha256(BODY),
        "length": len(BODY),
        "schema": 1,
        "takes_hold": "at_once",
        "effective_from_ms": 100,
        "status": "active",
    }
    return m.CatalogueEntry(**{**values, **changes})


def catalogue(version: int = 1, entries: Sequence[m.CatalogueEntry] = (entry(),)) -> m.Catalogue:
    return m.Catalogue(version=version, hub="HUB", issued_at_ms=1, entries=tuple(entries))


def timestamp_for(cat: m.Catalogue, version: int = 1, **changes: object) -> bytes:
    payload = m.encode(cat)
    values = {
        "version": version,
        "hub": "HUB",
        "catalogue_version": cat.version,
        "catalogue_sha256": sha256(payload),
        "catalogue_length": len(payload),
        "issued_at_ms": 50,
        "fresh_until_ms": 1_000,
    }
    return seal(m.TIMESTAMP, m.Timestamp(**{**values, **changes}), [HUB])


def assignment(cat: m.Catalogue, version: int = 1, plant: str = "ALD", **changes: object) -> m.Assignment:
    standards = tuple(m.Assigned(e.id, e.version, e.sha256, e.effective_from_ms) for e in cat.entries)
    values = {
        "version": version,
        "hub": "HUB",
        "plant": plant,
        "catalogue_version": cat.version,
        "issued_at_ms": 1,
        "standards": standards,
    }
    return m.Assignment(**{**values, **changes})


@dataclass
class Offer:
    """What a road delivers; each part can be swapped by an attacker."""

    timestamp: bytes
    catalogue: bytes
    assignment: bytes

    def install(self, trusted: Trusted, plant: str = "ALD") -> Trusted:
        after, stamp = trust.accept_timestamp(trusted, self.timestamp)
        after = trust.accept_catalogue(after, stamp, self.catalogue)
        return trust.accept_assignment(after, self.assignment, plant)[0]


def offer(
    cat: m.Catalogue | None = None, version: int = 1, signers: Sequence[SigningKey] = STANDARDS_KEYS[:2]
) -> Offer:
    cat = cat or catalogue(version)
    assigned = seal(m.ASSIGNMENT, assignment(cat, version), [HUB])
    return Offer(timestamp_for(cat, version), seal(m.CATALOGUE, cat, signers), assigned)


@pytest.fixture
def trusted() -> Trusted:
    return Trusted(trust.first_root(seal(m.ROOT, root(), ROOT_KEYS[:2])))


def refused(code: str, call: object, *args: object) -> None:
    with pytest.raises(TrustError) as caught:
        call(*args)
    assert caught.value.code == f"standards.{code}"


def test_a_good_offer_is_accepted(trusted: Trusted) -> None:
    after = offer().install(trusted)
    assert (after.catalogue_version, after.timestamp_version, after.assignment_version) == (1, 1, 1)
    assert (after.time_floor_ms, after.fresh_until_ms) == (50, 1_000)


def test_the_same_offer_again_is_accepted(trusted: Trusted) -> None:
    assert offer().install(offer().install(trusted)).catalogue_version == 1


@pytest.mark.fault(80)
def test_hub_key_alone_cannot_publish(trusted: Trusted) -> None:
    refused("bad_signature", offer(signers=[HUB]).install, trusted)


@pytest.mark.fault(81)
def test_one_standards_key_is_below_the_threshold(trusted: Trusted) -> None:
    refused("bad_signature", offer(signers=STANDARDS_KEYS[:1]).install, trusted)


@pytest.mark.fault(81)
def test_the_same_key_twice_counts_once(trusted: Trusted) -> None:
    refused("bad_signature", offer(signers=[STANDARDS_KEYS[0], STANDARDS_KEYS[0]]).install, trusted)


def test_a_standards_key_and_the_hub_key_do_not_add_up(trusted: Trusted) -> None:
    refused("bad_signature", offer(signers=[STANDARDS_KEYS[0], HUB]).install, trusted)


def test_a_stranger_under_a_trusted_key_id_is_refused(trusted: Trusted) -> None:
    good = offer(signers=[new_key(), new_key()])
    envelope = msgspec.json.decode(good.catalogue, type=Envelope)
    forged = tuple(replace_keyid(s, STANDARDS_KEYS[i].id) for i, s in enumerate(envelope.signatures))
    good.catalogue = m.encode(Envelope(envelope.payloadType, envelope.payload, forged))
    refused("bad_signature", good.install, trusted)


def replace_keyid(signature: object, keyid: str) -> object:
    return msgspec.structs.replace(signature, keyid=keyid)


def test_a_changed_byte_is_refused(trusted: Trusted) -> None:
    changed = offer()
    envelope = msgspec.json.decode(changed.catalogue, type=Envelope)
    payload = "A" + envelope.payload[1:]
    changed.catalogue = m.encode(msgspec.structs.replace(envelope, payload=payload))
    refused("bad_signature", changed.install, trusted)


@pytest.mark.fault(87)
def test_a_signature_for_another_kind_of_message_is_refused(trusted: Trusted) -> None:
    mixed = offer()
    mixed.catalogue = seal(m.ASSIGNMENT, catalogue(), STANDARDS_KEYS[:2])
    refused("bad_signature", mixed.install, trusted)


@pytest.mark.fault(76)
def test_rollback_of_the_timestamp(trusted: Trusted) -> None:
    after = offer(catalogue(5), 5).install(trusted)
    refused("rollback", trust.accept_timestamp, after, timestamp_for(catalogue(5), 4))


@pytest.mark.fault(76)
def test_rollback_of_the_catalogue_under_a_new_timestamp(trusted: Trusted) -> None:
    after = offer(catalogue(5), 5).install(trusted)
    refused("rollback", trust.accept_timestamp, after, timestamp_for(catalogue(4), 6))


@pytest.mark.fault(76)
def test_rollback_of_one_standard_inside_a_new_catalogue(trusted: Trusted) -> None:
    after = offer(catalogue(1, [entry(version=3, release=3)])).install(trusted)
    older = catalogue(2, [entry(version=2, release=2, sha256="0" * 64)])
    refused("rollback", offer(older, 2).install, after)


@pytest.mark.fault(84)
def test_another_body_under_the_same_release_is_refused(trusted: Trusted) -> None:
    after = offer().install(trusted)
    refused("rollback", offer(catalogue(2, [entry(sha256="0" * 64)]), 2).install, after)


def test_an_older_version_may_come_back_as_a_new_release(trusted: Trusted) -> None:
    after = offer(catalogue(1, [entry(version=3, release=3)])).install(trusted)
    assert offer(catalogue(2, [entry(version=2, release=4)]), 2).install(after).catalogue_version == 2


def test_two_catalogues_of_the_same_version(trusted: Trusted) -> None:
    after = offer().install(trusted)
    refused("rollback", offer(catalogue(1, [entry(), entry("QR-Y")])).install, after)


@pytest.mark.fault(78)
def test_mix_and_match_of_two_valid_catalogues(trusted: Trusted) -> None:
    one, two = offer(catalogue(1)), offer(catalogue(2, [entry(), entry("QR-Y")]), 2)
    refused("mixed", Offer(two.timestamp, one.catalogue, two.assignment).install, trusted)
    refused("mixed", Offer(two.timestamp, two.catalogue, one.assignment).install, trusted)


@pytest.mark.parametrize("version", [10_002, 1 << 62])
@pytest.mark.fault(79)
def test_fast_forward_of_the_catalogue(trusted: Trusted, version: int) -> None:
    after = offer().install(trusted)
    refused("fast_forward", trust.accept_timestamp, after, timestamp_for(catalogue(version), 2))


@pytest.mark.fault(79)
def test_fast_forward_of_timestamp_and_assignment(trusted: Trusted) -> None:
    after = offer().install(trusted)
    refused("fast_forward", trust.accept_timestamp, after, timestamp_for(catalogue(1), 10_002))
    leap = seal(m.ASSIGNMENT, assignment(catalogue(), 10_002), [HUB])
    refused("fast_forward", trust.accept_assignment, after, leap, "ALD")


def test_a_step_of_ten_thousand_is_allowed(trusted: Trusted) -> None:
    after = offer().install(trusted)
    assert offer(catalogue(10_001), 10_001).install(after).catalogue_version == 10_001


@pytest.mark.fault(83)
def test_disappearance_of_a_standard(trusted: Trusted) -> None:
    after = offer(catalogue(1, [entry(), entry("QR-Y")])).install(trusted)
    refused("disappeared", offer(catalogue(2, [entry()]), 2).install, after)


def test_a_withdrawn_standard_stays_listed_but_cannot_be_assigned(trusted: Trusted) -> None:
    after = offer().install(trusted)
    refused("not_in_catalogue", offer(catalogue(2, [entry(status="withdrawn")]), 2).install, after)


def test_a_standard_listed_twice(trusted: Trusted) -> None:
    refused("unreadable", offer(catalogue(1, [entry(), entry()])).install, trusted)


@pytest.mark.fault(80)
def test_assignment_of_something_not_in_the_catalogue(trusted: Trusted) -> None:
    good = offer()
    stray = assignment(catalogue(), standards=(m.Assigned("QR-X", 1, "f" * 64, 100),))
    refused(
        "not_in_catalogue", Offer(good.timestamp, good.catalogue, seal(m.ASSIGNMENT, stray, [HUB])).install, trusted
    )


def test_assignment_before_its_signed_time(trusted: Trusted) -> None:
    good = offer()
    early = assignment(catalogue(), standards=(m.Assigned("QR-X", 1, sha256(BODY), 99),))
    refused(
        "not_in_catalogue", Offer(good.timestamp, good.catalogue, seal(m.ASSIGNMENT, early, [HUB])).install, trusted
    )


def test_assignment_for_another_plant(trusted: Trusted) -> None:
    refused("wrong_plant", offer().install, trusted, "BRK")


def test_assignment_outside_a_standards_scope(trusted: Trusted) -> None:
    refused("wrong_plant", offer(catalogue(1, [entry(plants=("BRK",))])).install, trusted)


@pytest.mark.fault(84)
def test_body_hash_mismatch(trusted: Trusted) -> None:
    refused("body_mismatch", trust.accept_body, entry(), BODY + b" ")
    refused("body_mismatch", trust.accept_body, entry(), b'{"id":"QR-Y"}')


def test_a_document_this_node_cannot_read_is_said_so() -> None:
    refused("cannot_install", trust.accept_body, entry(schema=2), BODY)
    refused("cannot_install", trust.accept_body, entry(), BODY)


@pytest.mark.parametrize("raw", [b"", b"{}", b"not json", b'{"payloadType":"x","payload":"!","signatures":[]}'])
def test_what_is_no_envelope_is_refused(trusted: Trusted, raw: bytes) -> None:
    with pytest.raises(TrustError):
        trust.accept_timestamp(trusted, raw)


def test_an_envelope_that_never_ends_is_refused(trusted: Trusted) -> None:
    refused("unreadable", trust.accept_timestamp, trusted, b" " * (m.MESSAGE_BYTES_MAX * 2 + 1))


@pytest.mark.fault(77)
def test_stale_is_judged_by_the_later_of_clock_and_time_floor(trusted: Trusted) -> None:
    after = offer().install(trusted)
    assert not trust.is_stale(after, 1_000)
    assert trust.is_stale(after, 1_001)
    assert trust.is_stale(replace(after, time_floor_ms=2_000), 0)  # a dead clock does not make it fresh again


def test_the_time_floor_never_falls(trusted: Trusted) -> None:
    after = offer().install(trusted)
    later, _ = trust.accept_timestamp(after, timestamp_for(catalogue(), 2, issued_at_ms=10))
    assert later.time_floor_ms == 50


@pytest.mark.fault(82)
def test_root_chain_of_three_rotations(trusted: Trusted) -> None:
    for version in (2, 3, 4):
        trusted = trust.next_root(trusted, seal(m.ROOT, root(version), ROOT_KEYS[:2]))
    assert trusted.root.version == 4


@pytest.mark.fault(82)
def test_root_with_a_gap_or_going_back(trusted: Trusted) -> None:
    refused("root_order", trust.next_root, trusted, seal(m.ROOT, root(3), ROOT_KEYS[:2]))
    refused("root_order", trust.next_root, trusted, seal(m.ROOT, root(1), ROOT_KEYS[:2]))


@pytest.mark.fault(82)
def test_root_signed_by_the_new_keys_only(trusted: Trusted) -> None:
    strangers = [new_key(), new_key()]
    mine = root(2)
    taken = msgspec.structs.replace(
        mine,
        keys={**mine.keys, **{k.id: m.Key(k.public.hex(), "thief") for k in strangers}},
        roles={**mine.roles, "root": m.Role(tuple(k.id for k in strangers), 2)},
    )
    refused("bad_signature", trust.next_root, trusted, seal(m.ROOT, taken, strangers))
    refused("bad_signature", trust.next_root, trusted, seal(m.ROOT, taken, ROOT_KEYS[:2]))
    assert trust.next_root(trusted, seal(m.ROOT, taken, [*ROOT_KEYS[:2], *strangers])).root.version == 2


@pytest.mark.fault(79)
def test_new_online_key_after_a_fast_forward_lets_versions_start_again(trusted: Trusted) -> None:
    after = offer(catalogue(9_000), 9_000).install(trusted)
    fresh = trust.next_root(after, seal(m.ROOT, root(2, online=new_key()), ROOT_KEYS[:2]))
    assert (fresh.catalogue_version, fresh.timestamp_version, fresh.time_floor_ms) == (0, 0, 50)


def test_rotation_of_root_keys_alone_keeps_the_versions(trusted: Trusted) -> None:
    after = offer(catalogue(7), 7).install(trusted)
    assert trust.next_root(after, seal(m.ROOT, root(2), ROOT_KEYS[:2])).catalogue_version == 7


def test_first_root_must_be_signed_by_its_own_keys() -> None:
    refused("bad_signature", trust.first_root, seal(m.ROOT, root(), ROOT_KEYS[:1]))


@pytest.mark.parametrize(
    "made",
    [
        lambda: root(threshold=4),
        lambda: root(standards=[HUB, STANDARDS_KEYS[0]]),
        lambda: msgspec.structs.replace(root(), keys={**root().keys, HUB.id: m.Key("00" * 32, "x")}),
        lambda: msgspec.structs.replace(root(), roles={"root": root().roles["root"]}),
        lambda: msgspec.structs.replace(root(), keys={}),
    ],
)
def test_a_root_that_cannot_protect_anybody_is_refused(made: object) -> None:
    refused("bad_root", trust.first_root, seal(m.ROOT, made(), ROOT_KEYS[:2]))
