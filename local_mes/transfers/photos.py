"""Pictures of damage: kept in the plant's folder under their SHA-256, told of by a fact that names it.

The picture itself stays at the plant that took it; what travels to hub and sender is its digest, so that a picture shown
later is known to be the one that was taken.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from local_mes.plant import Plant
from local_mes.transfers import errors, gate_errors
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.storage import write_durably
from shared.transfers.gate_facts import DamagePictured
from shared.transfers.queries import find_receipt
from shared.transfers.tables import transfer_word
from shared.transfers.words import find_words

PHOTO_BYTES_MAX = 1_000_000
"""One picture: what a tablet's camera took has 100 to 300 kB once the page made it smaller; untouched it is refused."""
PHOTOS_A_RECEIPT_MAX = 6
"""Two sides, two ends, the label and the vehicle."""
PHOTOS_MAX = 20_000
"""All pictures of a plant: 55 a day for a year, some 4 GB; older ones are moved away by a person, who knows the claims."""
MEDIA = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""First bytes -> type. What a browser could run (SVG, HTML) is none of them."""


@dataclass(frozen=True)
class Photo:
    """A picture that is kept."""

    sha256: str
    media: str
    size_bytes: int


@dataclass(frozen=True)
class Picture:
    """What was sent: checked, and not kept yet."""

    photo: Photo
    content: bytes


def check_picture(content: bytes) -> Picture:
    """A picture within the bounds, nothing written. Refusals name the limit."""
    if len(content) > PHOTO_BYTES_MAX:
        raise gate_errors.photo_too_large(len(content), PHOTO_BYTES_MAX)
    media = next((media for start, media in MEDIA.items() if content.startswith(start)), None)
    if media is None:
        raise gate_errors.no_photo()
    return Picture(Photo(hashlib.sha256(content).hexdigest(), media, len(content)), content)


def photo_file(plant: Plant, sha256: str) -> Path:
    """Where a picture lies: <plant's folder>/photos/<first two digits>/<digest>."""
    return plant.settings.folder / "photos" / sha256[:2] / sha256


def keep_picture(plant: Plant, tx: Work, picture: Picture, receipt: dict[str, Any], actor: str, at_ms: int) -> None:
    """Keep a picture of a receipt and tell of it: receipt_id, shipment_id, from_plant, material_id as receive() answers.

    Call it last: the file is written under its digest when nothing can be refused any more, and before its fact, so that
    no fact names a file that is not there. A crash in between leaves a file that nothing tells of.
    """
    photo = picture.photo
    told = find_words(tx.conn, "pictured", about=receipt["receipt_id"])
    is_told = any(word.note == photo.sha256 for word in told)
    if not is_told:
        _check_limits(tx.conn, plant.code, len(told))
    _write(photo_file(plant, photo.sha256), picture.content)
    if not is_told:
        tx.record(_telling(photo, receipt, actor, at_ms))


def _check_limits(conn: Connection, here: str, of_receipt: int) -> None:
    if of_receipt >= PHOTOS_A_RECEIPT_MAX:
        raise gate_errors.photos_enough(PHOTOS_A_RECEIPT_MAX)
    if _count(conn, here) >= PHOTOS_MAX:
        raise gate_errors.photos_full(PHOTOS_MAX)


def _write(file: Path, content: bytes) -> None:
    """The same picture twice is one file; one that was lost and is sent again is there again."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, content)


def _telling(photo: Photo, receipt: dict[str, Any], actor: str, at_ms: int) -> Draft[DamagePictured]:
    fact = DamagePictured(
        receipt_id=receipt["receipt_id"],
        shipment_id=receipt["shipment_id"],
        from_plant=receipt["from_plant"],
        material_id=receipt["material_id"],
        sha256=photo.sha256,
        media=photo.media,
        size_bytes=photo.size_bytes,
    )
    subjects = tuple(i for i in (fact.material_id, fact.receipt_id, fact.shipment_id) if i)
    return Draft(fact, subjects, actor, Occurred(at_ms, "manual"))


def add_photo(plant: Plant, receipt_id: str, content: bytes, *, actor: str, command_id: str) -> dict[str, Any]:
    """A picture taken after the receipt. Done once for a command id."""
    picture = check_picture(content)
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        row = find_receipt(tx.conn, receipt_id)
        if row is None or row.author != plant.code:
            raise errors.unknown_receipt(receipt_id)
        keep_picture(plant, tx, picture, dict(row._mapping), actor, tx.now_ms())
        result = {"receipt_id": receipt_id, "sha256": picture.photo.sha256}
        tx.done(command_id, result)
        return result


def photos_of(conn: Connection, receipt_id: str) -> list[Photo]:
    """The pictures of a receipt, oldest first."""
    found = []
    for word in find_words(conn, "pictured", about=receipt_id):
        told = msgspec.json.decode(word.detail)
        found.append(Photo(word.note, told["media"], told["size_bytes"]))
    return found


def find_media(conn: Connection, sha256: str) -> str | None:
    """The type of a picture that some receipt tells of, or None: nothing else in the folder is ever served."""
    word = next(iter(find_words(conn, "pictured", note=sha256)), None)
    return None if word is None else str(msgspec.json.decode(word.detail)["media"])


def _count(conn: Connection, here: str) -> int:
    c = transfer_word.c
    query = select(func.count()).where(c.author == here, c.kind == "pictured")
    return int(conn.execute(query).scalar_one())
