"""A hub with its key holders, and two clients that hear the same of it: a plant's verification and python-tuf's Updater."""

from __future__ import annotations

import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf_repository import (
    Keys,
    Offer,
    RootOffer,
    body_of,
    our_catalogue,
    our_root,
    our_timestamp,
    tuf_files,
    tuf_root,
    tuf_takes,
)

from shared.keys import SigningKey
from shared.standards import trust
from shared.standards.trust import Trusted, TrustError

OURS = {
    "bad_signature": "signature",
    "rollback": "older",
    "root_order": "older",
    "mixed": "other bytes",
    "body_mismatch": "other bytes",
    "unreadable": "unreadable",
}


def key(number: int) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
    return SigningKey(private, private.public_key().public_bytes_raw())


STRANGERS = (key(9001), key(9002))


class World:
    """A hub, its key holders and two clients that hear the same; everything random comes from one seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random, self.folder = random.Random(seed), folder
        self.keys = Keys((key(1), key(2), key(3)), (key(11), key(12), key(13)), key(21))
        self.next_key, self.root_version = 100, 1
        first = RootOffer(1, 1, self.keys, self.keys.root[:2])
        self.first, self.trusted = tuf_root(first), Trusted(trust.first_root(our_root(first)))
        self.timestamp = self.catalogue = 0
        self.entries = {"QR-A": 1, "QR-B": 1}
        self.past: list[Offer] = []

    def honest(self) -> Offer:
        """The next offer as it should be."""
        self.timestamp += self.random.randint(1, 3)
        self.catalogue += self.random.randint(1, 3)
        name = self.random.choice([*self.entries, f"QR-{self.catalogue}"])
        self.entries = self.entries | {name: self.entries.get(name, 0) + 1}
        signers = tuple(self.random.sample(self.keys.standards, 2))
        return Offer((), self.keys, self.timestamp, self.catalogue, self.entries, signers, self.keys.online)

    def rotated(self, roles: tuple[str, ...]) -> Keys:
        """The keys with those of some roles new."""
        fresh = [key(self.next_key + n) for n in range(7)]
        self.next_key += 7
        return Keys(
            tuple(fresh[:3]) if "root" in roles else self.keys.root,
            tuple(fresh[3:6]) if "standards" in roles else self.keys.standards,
            fresh[6] if "online" in roles else self.keys.online,
        )

    def root(self, keys: Keys, *, signers: tuple[SigningKey, ...] | None = None, called: int = 0) -> RootOffer:
        """The next root, signed by the thresholds of both sets unless others sign."""
        number = self.root_version + 1
        both = tuple(dict.fromkeys((*self.keys.root[:2], *keys.root[:2])))
        return RootOffer(number, called or number, keys, both if signers is None else signers)

    def ours(self, offer: Offer) -> tuple[str, Trusted]:
        """Why our client refuses, in a word, and what it trusts then: each step is kept that holds, as a plant does."""
        trusted, payload_and_envelope = self.trusted, our_catalogue(offer)
        try:
            for root in offer.roots:
                if root.number > trusted.root.version:
                    trusted = trust.next_root(trusted, our_root(root))
            trusted, stamp = trust.accept_timestamp(trusted, our_timestamp(offer, payload_and_envelope[0]))
            trusted = trust.accept_catalogue(trusted, stamp, payload_and_envelope[1])
            for name, release in offer.entries.items():
                body = body_of(name, release)
                take_bytes(trusted, name, body[::-1] if offer.spoilt == "body" else body)
        except TrustError as error:
            code = error.code.removeprefix("standards.")
            return OURS.get(code, code), trusted
        return "", trusted

    def tufs(self, offer: Offer, folder: Path | None = None) -> str:
        """Why python-tuf refuses, in a word."""
        return tuf_takes(folder or self.folder, self.first, tuf_files(offer), list(offer.entries))

    def hear(self, offer: Offer) -> tuple[str, str]:
        """Both hear it; what both think of it."""
        said, self.trusted = self.ours(offer)
        other = self.tufs(offer)
        self.root_version = self.trusted.root.version
        if not said:
            self.keys, self.past = offer.keys, [*self.past, offer]
        return said, other


def take_bytes(trusted: Trusted, name: str, body: bytes) -> None:
    """Whether the bytes are those listed; what they say is nothing that TUF looks at."""
    try:
        trust.accept_body(trusted.catalogue.find(name), body)
    except TrustError as error:
        if error.code != "standards.cannot_install":
            raise
