"""Which servers are believed: certificates a person has accepted, in files of the node's folder.

    pki/trusted/<fingerprint>.der    accepted, beside it who did so and when
    pki/rejected/<fingerprint>.der   presented and not known: kept for a person to look at
    pki/own/                         the plant's own certificate and key

A certificate is believed when that very certificate lies in `trusted`, or an issuer that a person has taken vouches for
it (issuers.py), and its time has come and not run out. What a person refused by withdrawing it stays refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from local_mes.level2.opcua.issuers import Issuers, NotIssued, check_server, split_chain
from shared.clock import to_datetime, to_ms
from shared.errors import BadInput, NotFound
from shared.storage import write_durably

REJECTED_MAX = 50
"""Unknown certificates kept, the newest: whoever sends many must not fill the disk."""
BYTES_MAX = 16_384
WITHDRAWN = ".withdrawn"
"""Beside a rejected certificate: a person has ended it, so that no issuer's word counts for it."""
State = Literal["trusted", "rejected"]


class Untrusted(OSError):
    """A server is not believed; the text says why and what to do."""


@dataclass(frozen=True)
class Certificate:
    """What people look at before they believe a certificate. Times in ms UTC; uri is the application's own name."""

    fingerprint: str
    subject: str
    issuer: str
    uri: str
    not_before_ms: int
    not_after_ms: int
    state: str = ""
    accepted_by: str = ""
    accepted_ms: int | None = None


class _Accepted(msgspec.Struct):
    by: str = ""
    at_ms: int | None = None


def read_certificate(der: bytes) -> Certificate:
    """The certificate in these bytes; ValueError when there is none."""
    found = x509.load_der_x509_certificate(der)
    return Certificate(
        fingerprint=found.fingerprint(SHA256()).hex(),
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        uri=_uri(found),
        not_before_ms=to_ms(found.not_valid_before_utc),
        not_after_ms=to_ms(found.not_valid_after_utc),
    )


class TrustStore:
    """The certificates of one node's folder."""

    def __init__(self, home: Path) -> None:
        self._home = home / "pki"

    def judge(self, shown_der: bytes, application: str, now_ms: int, host: str = "") -> Certificate:
        """The certificate if it is believed, else Untrusted. application is the URI the server says it has.

        shown_der: the server's own certificate, behind it perhaps those of its issuers. host: that of the link's address;
        an issuer's word counts for it alone, or every machine it ever vouched for could stand in for this one.
        """
        try:
            chain = split_chain(shown_der)
            shown = read_certificate(chain[0].public_bytes(Encoding.DER))
        except ValueError as error:
            raise Untrusted(f"The server's certificate cannot be read: {error}.") from error
        if not self._file("trusted", shown.fingerprint).is_file():
            self._judge_issued(chain, shown, now_ms, host)
        check_time(shown, now_ms, "The server's certificate")
        if shown.uri != application:
            raise Untrusted(f"The server calls itself {application!r}, its certificate is for {shown.uri!r}.")
        return shown

    def _judge_issued(self, chain: Sequence[x509.Certificate], shown: Certificate, now_ms: int, host: str) -> None:
        """Untrusted unless an issuer vouches for it; then it is kept for a person to look at."""
        why = f"The server's certificate {short(shown.fingerprint)} ({shown.subject}) is not trusted"
        try:
            if not self._file("rejected", shown.fingerprint).with_suffix(WITHDRAWN).exists():
                Issuers(self._home.parent).judge(chain, now_ms)
                check_server(chain[0], host)
                return
        except NotIssued as error:
            why += f": {error}" if str(error) else ""
        self._keep_rejected(shown.fingerprint, chain[0].public_bytes(Encoding.DER))
        raise Untrusted(f"{why}. It is kept for you to accept on the page Level 2 certificates.")

    def find(self) -> list[Certificate]:
        """All kept, the rejected first."""
        return [*self._read("rejected"), *self._read("trusted")]

    def accept(self, fingerprint: str, *, actor: str, now_ms: int) -> None:
        """Believe a rejected certificate from now on. NotFound when none of that fingerprint is kept."""
        der = self._get("rejected", fingerprint)
        word = msgspec.json.encode(_Accepted(actor, now_ms))
        write_durably(self._made("trusted") / f"{fingerprint}.json", word)
        write_durably(self._file("trusted", fingerprint), der)
        for ending in (".der", WITHDRAWN):
            self._file("rejected", fingerprint).with_suffix(ending).unlink(missing_ok=True)

    def withdraw(self, fingerprint: str) -> None:
        """Believe it no longer; it is kept among the rejected. Counts from the next connect."""
        der = self._get("trusted", fingerprint)
        self._keep_rejected(fingerprint, der)
        write_durably(self._file("rejected", fingerprint).with_suffix(WITHDRAWN), b"")
        for ending in ("der", "json"):
            (self._home / "trusted" / f"{fingerprint}.{ending}").unlink(missing_ok=True)

    def _get(self, state: State, fingerprint: str) -> bytes:
        if len(fingerprint) != 64 or set(fingerprint) - set("0123456789abcdef"):
            raise BadInput("level2.no_fingerprint", "A fingerprint has 64 hexadecimal digits.")
        try:
            return self._file(state, fingerprint).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(
                "level2.no_certificate",
                f"No {state} certificate {short(fingerprint)} is kept.",
                todo="Open the list again; somebody may have been quicker.",
            ) from error

    def _read(self, state: State) -> list[Certificate]:
        found = []
        for path in sorted((self._home / state).glob("*.der")):
            note = path.with_suffix(".json")
            word = msgspec.json.decode(note.read_bytes(), type=_Accepted) if note.exists() else _Accepted()
            shown = read_certificate(path.read_bytes())
            found.append(replace(shown, state=state, accepted_by=word.by, accepted_ms=word.at_ms))
        return found

    def _keep_rejected(self, fingerprint: str, der: bytes) -> None:
        path = self._made("rejected") / f"{fingerprint}.der"
        if len(der) > BYTES_MAX or path.exists():
            return
        write_durably(path, der)
        kept = sorted(path.parent.glob("*.der"), key=lambda one: one.stat().st_mtime_ns)
        for old in kept[:-REJECTED_MAX]:
            old.unlink(missing_ok=True)

    def _file(self, state: State, fingerprint: str) -> Path:
        return self._home / state / f"{fingerprint}.der"

    def _made(self, state: State) -> Path:
        folder = self._home / state
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self._home, 0o700)
        return folder


def short(fingerprint: str) -> str:
    """The beginning, for sentences and lists."""
    return fingerprint[:16]


def check_time(shown: Certificate, now_ms: int, whose: str) -> None:
    """Untrusted before its time has come and after it has run out."""
    if now_ms < shown.not_before_ms:
        raise Untrusted(f"{whose} {short(shown.fingerprint)} is valid only from {_day(shown.not_before_ms)}.")
    if now_ms > shown.not_after_ms:
        raise Untrusted(f"{whose} {short(shown.fingerprint)} ran out on {_day(shown.not_after_ms)}: renew it.")


def _day(ms: int) -> str:
    return to_datetime(ms).strftime("%Y-%m-%d")


def _uri(found: x509.Certificate) -> str:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return str(uris[0]) if uris else ""
