"""Issuers (certification authorities) whose certificates are believed, each with its list of revoked ones.

    pki/issuers/<fingerprint>.der    an issuer that a person has taken, beside it who did so and when
    pki/issuers/<fingerprint>.crl    the newest list it gave out

A server's certificate is believed through an issuer when a chain of valid signatures leads from it to one of these,
every certificate of the chain is within its time, each that issues may do so, and none stands in its issuer's list.
An issuer without a list is not enough: nobody could ever take a stolen certificate back. A list that is past its time
still holds what it says and is shown as an alarm: a plant does not stop because an office did not send the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from shared.clock import to_datetime, to_ms
from shared.errors import BadInput, NotFound
from shared.storage import write_durably

CHAIN_MAX = 5
"""Certificates from a server's to the issuer that is known: more is nobody's practice, and a loop ends."""
BYTES_MAX = 4 << 20
"""A list of revoked certificates of a large company has some 100,000 lines."""


@dataclass(frozen=True)
class Issuer:
    """One issuer as people see it. Times in ms UTC; list_until_ms None: there is no list, so nothing is believed by it."""

    fingerprint: str
    subject: str
    not_after_ms: int
    list_from_ms: int | None
    list_until_ms: int | None
    revoked: int
    taken_by: str = ""
    taken_ms: int | None = None


class _Taken(msgspec.Struct):
    by: str = ""
    at_ms: int | None = None


class NotIssued(ValueError):
    """No chain leads to a known issuer, or one does and must not be believed; the text says why, empty for the first."""


class Issuers:
    """The issuers of one node's folder."""

    def __init__(self, home: Path) -> None:
        self._home = home / "pki" / "issuers"

    def judge(self, shown: Sequence[x509.Certificate], now_ms: int) -> x509.Certificate:
        """The known issuer that the first certificate leads to; the others may be links between. NotIssued."""
        known = self._load()
        chain = _chain(shown[0], [*shown[1:], *known], known)
        for issued, issuer in pairwise(chain):
            _check_issuer(issuer, depth=chain.index(issuer) - 1)
            _check_time(issuer, now_ms)
            self._check_revoked(issued, issuer)
        return chain[-1]

    def find(self) -> list[Issuer]:
        """All, those that end first before the others."""
        made = [self._issuer(one) for one in self._load()]
        return sorted(made, key=lambda one: one.not_after_ms)

    def take(self, content: bytes, *, actor: str, now_ms: int) -> Issuer:
        """Believe an issuer from now on. BadInput for what is no certificate of one."""
        found = _read_issuer(content)
        name = print_of(found)
        self._home.mkdir(parents=True, exist_ok=True)
        write_durably(self._home / f"{name}.json", msgspec.json.encode(_Taken(actor, now_ms)))
        write_durably(self._home / f"{name}.der", found.public_bytes(Encoding.DER))
        return self._issuer(found)

    def take_list(self, content: bytes) -> Issuer:
        """Keep an issuer's newer list. BadInput for one that none of the issuers signed, or that is older than ours."""
        made = _read_list(content)
        issuer = next((one for one in self._load() if one.subject == made.issuer and _signed(made, one)), None)
        if issuer is None:
            raise BadInput(
                "level2.foreign_list",
                f"The list is of {made.issuer.rfc4514_string()}, and none of the issuers taken here has signed it.",
                kept="The lists stay as they were.",
                todo="Take the issuer's certificate first.",
            )
        before = self._list_of(issuer)
        if before is not None and made.last_update_utc < before.last_update_utc:
            raise BadInput("level2.old_list", "The list is older than the one that is kept.", todo="Send the newest.")
        write_durably(self._home / f"{print_of(issuer)}.crl", made.public_bytes(Encoding.DER))
        return self._issuer(issuer)

    def withdraw(self, fingerprint: str) -> None:
        """Believe an issuer no longer, from the next connect on."""
        if fingerprint not in {one.fingerprint for one in self.find()}:
            raise NotFound("level2.no_issuer", f"No issuer {fingerprint[:16]} is kept.", todo="Open the list again.")
        for ending in ("der", "json", "crl"):
            (self._home / f"{fingerprint}.{ending}").unlink(missing_ok=True)

    def _load(self) -> list[x509.Certificate]:
        return [x509.load_der_x509_certificate(file.read_bytes()) for file in sorted(self._home.glob("*.der"))]

    def _list_of(self, issuer: x509.Certificate) -> x509.CertificateRevocationList | None:
        file = self._home / f"{print_of(issuer)}.crl"
        return x509.load_der_x509_crl(file.read_bytes()) if file.is_file() else None

    def _check_revoked(self, issued: x509.Certificate, issuer: x509.Certificate) -> None:
        found = self._list_of(issuer)
        if found is None:
            raise NotIssued(f"of its issuer {_name(issuer)} there is no list of revoked certificates: take one first")
        revoked = found.get_revoked_certificate_by_serial_number(issued.serial_number)
        if revoked is not None:
            raise NotIssued(f"its issuer {_name(issuer)} has revoked it on {revoked.revocation_date_utc:%Y-%m-%d}")

    def _issuer(self, one: x509.Certificate) -> Issuer:
        name, found = print_of(one), self._list_of(one)
        note = self._home / f"{name}.json"
        taken = msgspec.json.decode(note.read_bytes(), type=_Taken) if note.exists() else _Taken()
        until = found.next_update_utc if found else None
        return Issuer(
            fingerprint=name,
            subject=one.subject.rfc4514_string(),
            not_after_ms=to_ms(one.not_valid_after_utc),
            list_from_ms=to_ms(found.last_update_utc) if found else None,
            list_until_ms=to_ms(until) if until else None,
            revoked=len(found) if found else 0,
            taken_by=taken.by,
            taken_ms=taken.at_ms,
        )


def split_chain(shown: bytes) -> list[x509.Certificate]:
    """The certificates that a server shows one behind the other, its own first; ValueError when there is none."""
    found: list[x509.Certificate] = []
    at = 0
    while at < len(shown) and len(found) < CHAIN_MAX:
        size = _der_size(shown, at)
        found.append(x509.load_der_x509_certificate(shown[at : at + size]))
        at += size
    if not found:
        raise ValueError("no certificate was shown")
    return found


def check_server(one: x509.Certificate, host: str) -> None:
    """Whether an issued certificate is that of a server at this host; NotIssued."""
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
        hosts |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    except x509.ExtensionNotFound:
        hosts = set()
    if host.lower() not in hosts:
        raise NotIssued(f"it is for {', '.join(sorted(hosts)) or 'no host'}, and this link's address is {host}")
    try:
        uses = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.SERVER_AUTH not in uses:
        raise NotIssued("its issuer did not give it for a server")


def print_of(one: x509.Certificate) -> str:
    """The fingerprint that people compare (SHA-256)."""
    return one.fingerprint(SHA256()).hex()


def _der_size(content: bytes, at: int) -> int:
    """Bytes of one DER value with its tag and length."""
    if len(content) - at < 2:
        raise ValueError("the certificate is cut off")
    first = content[at + 1]
    if first < 0x80:
        return 2 + first
    many = first & 0x7F
    return 2 + many + int.from_bytes(content[at + 2 : at + 2 + many], "big")


def _chain(
    first: x509.Certificate, links: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """From the first to an anchor, each signed by the next; NotIssued without words where there is no such way."""
    chain = [first]
    while len(chain) <= CHAIN_MAX:
        if len(chain) > 1 and chain[-1] in anchors:
            return chain
        following = next((one for one in links if one not in chain and _issued(chain[-1], one)), None)
        if following is None:
            break
        chain.append(following)
    raise NotIssued("")


def _issued(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _signed(made: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return made.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, InvalidSignature):
        return False


def _check_issuer(issuer: x509.Certificate, depth: int) -> None:
    """Whether it may issue at all, and with so many issuers below it."""
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise NotIssued(f"{_name(issuer)} may not issue certificates") from error
    if not basic.ca or not usage.key_cert_sign:
        raise NotIssued(f"{_name(issuer)} may not issue certificates")
    if basic.path_length is not None and depth > basic.path_length:
        raise NotIssued(f"below {_name(issuer)} there are more issuers than it allows")


def _check_time(issuer: x509.Certificate, now_ms: int) -> None:
    if not to_ms(issuer.not_valid_before_utc) <= now_ms <= to_ms(issuer.not_valid_after_utc):
        day = to_datetime(to_ms(issuer.not_valid_after_utc))
        raise NotIssued(f"its issuer {_name(issuer)} is not valid now (it is until {day:%Y-%m-%d})")


def _read_issuer(content: bytes) -> x509.Certificate:
    try:
        found = _load(content)
        _check_issuer(found, depth=0)
    except ValueError as error:
        raise BadInput(
            "level2.no_issuer_certificate",
            f"The file is no certificate of an issuer: {error}.",
            todo="Send its certificate as DER or PEM, of one that may sign certificates.",
        ) from error
    return found


def _load(content: bytes) -> x509.Certificate:
    is_text = content.lstrip().startswith(b"-----BEGIN")
    return x509.load_pem_x509_certificate(content) if is_text else x509.load_der_x509_certificate(content)


def _read_list(content: bytes) -> x509.CertificateRevocationList:
    try:
        is_text = content.lstrip().startswith(b"-----BEGIN")
        return x509.load_pem_x509_crl(content) if is_text else x509.load_der_x509_crl(content)
    except ValueError as error:
        raise BadInput(
            "level2.no_list", "The file is no list of revoked certificates.", todo="Send it as DER or PEM (.crl)."
        ) from error


def _name(one: x509.Certificate) -> str:
    return one.subject.rfc4514_string()
