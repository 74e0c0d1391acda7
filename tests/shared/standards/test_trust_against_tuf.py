"""The plant's verification against python-tuf, on random repositories: both take the same offers and refuse the same.

They may differ in these points alone, each with a test (sync-protocol.md, 3.3 to 3.5):

* what has expired is refused by TUF; here it is taken and called stale, because production never stops for it;
* a leap of more than 10,000 versions, a standard that vanished, one whose release goes back, and a standards key that is
  also the hub's are refused here; TUF takes them;
* a catalogue that was only announced, and never came with enough signatures, binds nobody here; TUF takes no lower one;
* a key that signs twice counts once here; TUF calls such a document unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tuf_repository import NOW_MS, Keys, Offer, RootOffer, our_catalogue, tuf_files
from tuf_world import STRANGERS, World

from shared.standards import trust


def again(world: World) -> Offer:
    return world.past[-1]


def older(world: World) -> Offer:
    return world.past[0]


def older_catalogue(world: World) -> Offer:
    world.timestamp += 1
    offer, last = world.past[0], world.past[-1]
    return replace(offer, roots=(), keys=last.keys, timestamp=world.timestamp, stamper=world.keys.online,
                   signers=world.keys.standards[:2])  # fmt: skip


def mixed(world: World) -> Offer:
    last = world.past[-1]
    return replace(world.honest(), delivered=(our_catalogue(last)[1], tuf_files(last)["targets.json"]))


def signed_by(*which: str) -> Callable[[World], Offer]:
    def offer(world: World) -> Offer:
        honest = world.honest()
        signers = {
            "one": honest.signers[:1],
            "hub": (world.keys.online,),
            "strangers": STRANGERS,
            "stranger": (honest.signers[0], STRANGERS[0]),
        }[which[0]]
        return replace(honest, signers=signers)

    return offer


def spoilt(what: str) -> Callable[[World], Offer]:
    return lambda world: replace(world.honest(), spoilt=what)


def stranger_stamps(world: World) -> Offer:
    return replace(world.honest(), stamper=STRANGERS[0])


def rotation(world: World) -> Offer:
    keys = world.rotated(tuple(world.random.sample(("root", "standards", "online"), world.random.randint(1, 3))))
    return with_root(world, world.root(keys), keys)


def with_root(world: World, root: RootOffer, keys: Keys) -> Offer:
    return replace(world.honest(), roots=(root,), keys=keys, signers=keys.standards[:2], stamper=keys.online)


def one_sided(side: str) -> Callable[[World], Offer]:
    def offer(world: World) -> Offer:
        keys = world.rotated(("root",))
        return with_root(world, world.root(keys, signers=(world.keys if side == "old" else keys).root[:2]), keys)

    return offer


def leaping_root(world: World) -> Offer:
    keys = world.rotated(("online",))
    return with_root(world, world.root(keys, called=world.root_version + 2), keys)


def revoked(world: World) -> Offer:
    before = world.keys.standards[:2]
    keys = world.rotated(("standards",))
    return replace(with_root(world, world.root(keys), keys), signers=before)


ALIKE: dict[str, tuple[Callable[[World], Offer], tuple[str, ...]]] = {
    "honest": (World.honest, ("",)),
    "again": (again, ("", "older")),
    "rotation": (rotation, ("",)),
    "older": (older, ("older", "signature")),
    "older catalogue": (older_catalogue, ("older",)),
    "mixed": (mixed, ("other bytes",)),
    "one signature": (signed_by("one"), ("signature",)),
    "hub alone": (signed_by("hub"), ("signature",)),
    "strangers": (signed_by("strangers"), ("signature",)),
    "one stranger": (signed_by("stranger"), ("signature",)),
    "stranger stamps": (stranger_stamps, ("signature",)),
    "tampered": (spoilt("tampered"), ("signature",)),
    "no catalogue": (spoilt("catalogue"), ("unreadable",)),
    "no timestamp": (spoilt("timestamp"), ("unreadable",)),
    "another body": (spoilt("body"), ("other bytes",)),
    "old keys alone": (one_sided("old"), ("signature",)),
    "new keys alone": (one_sided("new"), ("signature",)),
    "root leaps": (leaping_root, ("older",)),
    "revoked keys": (revoked, ("signature",)),
}


def play(seed: int, folder: Path, rounds: int) -> None:
    """A random history: after each offer both must have said the same, for the same reason."""
    world = World(seed, folder)
    each, more = world.random.sample(list(ALIKE), len(ALIKE)), world.random.choices(list(ALIKE), k=rounds)
    for what in ("honest", "honest", *each, *more):
        make, allowed = ALIKE[what]
        offer = make(world)
        ours, tufs = world.hear(offer)
        assert ours == tufs, f"seed {seed}, {what}: ours says {ours!r}, TUF {tufs!r}"
        assert ours in allowed, f"seed {seed}, {what}: {ours!r}"
        if what == "another body":  # its catalogue is trusted all the same
            world.past.append(replace(offer, spoilt=""))
        if what == "revoked keys":  # its root is trusted all the same
            world.keys = offer.keys
            assert world.hear(world.honest()) == ("", "")


def test_on_random_repositories_both_say_the_same_for_the_same_reason(tmp_path: Path) -> None:
    for seed in range(3):
        play(seed, tmp_path / str(seed), 6)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_on_many_random_repositories_both_say_the_same(tmp_path: Path) -> None:
    for seed in range(1_000, 1_200):
        play(seed, tmp_path / str(seed), 30)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(7, tmp_path / "tuf")
    for _ in range(2):
        assert made.hear(made.honest()) == ("", "")
    return made


@pytest.mark.parametrize("what", ["timestamp", "targets", "root"])
def test_what_has_expired_is_taken_here_and_called_stale(world: World, what: str) -> None:
    offer = replace(rotation(world) if what == "root" else world.honest(), expired=what)
    assert world.tufs(offer) == "expired"
    said, trusted = world.ours(offer)
    assert (said, trusted.catalogue.version, trust.is_stale(trusted, NOW_MS)) == (
        "",
        offer.catalogue,
        what == "timestamp",
    )


def leap(world: World) -> Offer:
    world.timestamp += trust.VERSION_JUMP_MAX
    return world.honest()


def vanished(world: World) -> Offer:
    offer = world.honest()
    return replace(offer, entries={name: release for name, release in offer.entries.items() if name != "QR-A"})


def released_back(world: World) -> Offer:
    offer = world.honest()
    return replace(offer, entries={name: 1 for name in offer.entries})


def shared_key(world: World) -> Offer:
    keys = replace(world.keys, online=world.keys.standards[0])
    return with_root(world, world.root(keys), keys)


@pytest.mark.parametrize(
    ("make", "why"),
    [(leap, "fast_forward"), (vanished, "disappeared"), (released_back, "older"), (shared_key, "bad_root")],
)
def test_what_is_refused_here_and_taken_by_tuf(world: World, make: Callable[[World], Offer], why: str) -> None:
    assert world.hear(make(world)) == (why, "")


def test_a_catalogue_that_was_only_announced_binds_nobody_here(world: World) -> None:
    following = world.honest()
    announced = replace(world.honest(), signers=STRANGERS)
    assert world.hear(announced) == ("signature", "signature")
    assert world.hear(replace(following, timestamp=world.timestamp + 1)) == ("", "older")


def test_a_key_that_signs_twice_counts_once_and_makes_the_document_unreadable_for_tuf(world: World) -> None:
    assert world.hear(replace(world.honest(), twice=True)) == ("signature", "unreadable")
