"""Certificates of links as people see them: which one each link shows and is shown, and until when it is good."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.level2.link_state import real_ms
from local_mes.level2.opcua.trust import Certificate, short
from local_mes.level2.spool_tables import peer_certificate
from local_mes.plant import Plant
from shared.clock import to_datetime
from shared.db.engine import read
from shared.db.upsert import upsert

SOON_DAYS = 30
"""Time to renew a certificate, with a supplier who has to be asked."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class LinkCertificate:
    """One certificate in use. role is own or server; sign is how it is shown: normal, attention (soon) or alarm (over)."""

    link: str
    role: str
    fingerprint: str
    subject: str
    not_after_ms: int
    days_left: int
    sign: str

    @property
    def until(self) -> str:
        """The last day it is good."""
        return day(self.not_after_ms)


def save_certificate(conn: Connection, *, link: str, role: str, shown: Certificate) -> None:
    """Note what a link uses; written by the collector."""
    row = {
        "link": link,
        "role": role,
        "fingerprint": shown.fingerprint,
        "subject": shown.subject,
        "not_after_ms": shown.not_after_ms,
    }
    upsert(conn, peer_certificate, [row], update=["fingerprint", "subject", "not_after_ms"])


def find_link_certificates(plant: Plant) -> list[LinkCertificate]:
    """All in use, those that end first before the others."""
    with read(plant.spool) as conn:
        rows = conn.execute(select(peer_certificate).order_by(peer_certificate.c.not_after_ms)).all()
    return [
        LinkCertificate(
            row.link,
            row.role,
            short(row.fingerprint),
            row.subject,
            row.not_after_ms,
            (row.not_after_ms - real_ms()) // DAY_MS,
            sign_of(row.not_after_ms),
        )
        for row in rows
    ]


def day(ms: int) -> str:
    """A day in UTC, as certificates give it."""
    return f"{to_datetime(ms):%Y-%m-%d}"


def sign_of(not_after_ms: int) -> str:
    """How near the end is."""
    left = not_after_ms - real_ms()
    return "alarm" if left < 0 else "attention" if left < SOON_DAYS * DAY_MS else "normal"


def list_sign_of(until_ms: int) -> str:
    """Whether the next list of revoked certificates is overdue."""
    return "alarm" if until_ms < real_ms() else "normal"
