"""The bytes of a passport: written and read back, bounded, and refused for the reason that holds."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StrandlineError
from shared.keys import SigningKey, new_key
from shared.material.facts import Mass, NewAlias, Size
from shared.material.pack_facts import MEMBERS, Packed, packing_list
from shared.passports.coding import decode45, encode45, length45, to_text
from shared.passports.document import (
    BODY_BYTES_MAX,
    HEAD_BYTES,
    WIRE_BYTES_MAX,
    PieceBody,
    Shipped,
    digest_all,
    open_body,
    split,
)
from shared.passports.issuing import Told, differences, genealogy_digest, make_piece, told_piece
from shared.passports.keys import KeyList, PlantKey, Revoked, open_list, seal_list
from shared.passports.verify import Passport, check_signature, read_passport
from shared.standards.messages import Key
from shared.standards.rooting import build_root
from shared.transfers.facts import PieceData

NOW = 1_773_205_200_000
DAY = 86_400_000
EPOCH = "ab" * 16
ALD, THIEF = new_key(), new_key()


def shipped(**more: object) -> Shipped:
    values: dict[str, object] = {
        "sender": "ALD", "addressee": "BRK", "shipment_id": bytes(16), "number": "T-4711", "lane": "ALD-BRK-rail",
        "mode": "rail", "vehicle": "Train 61733", "departed_ms": NOW, "issued_ms": NOW, "expires_ms": NOW + 60 * DAY,
        "epoch": bytes.fromhex(EPOCH), "seq": 512,
    }  # fmt: skip
    return Shipped(**(values | more))  # type: ignore[arg-type]


def piece(**more: object) -> PieceData:
    values: dict[str, object] = {
        "material_id": "0123456789abcdef" * 2, "kind": "slab", "number": "161738-1-1", "aliases": ("161738-1-1",),
        "grade": "L06", "order_item": "710045/10", "size": Size(220_000, 1_280_000, 9_300_000),
        "mass": Mass(20_560_000, "theoretical", "", NOW), "heats": {"161738": 800_000, "161739": 200_000},
        "chemistry_e6": {"C": 450, "Mn": 2_100, "Si": 100, "P": 80, "S": 40, "Al": 350, "N": 38, "Cu": 1_500},
        "quality": "held", "holds": ("cd" * 16,), "attributes": {"only_for": "710099/10"},
    }  # fmt: skip
    return PieceData(**(values | more))  # type: ignore[arg-type]


def told(**more: object) -> Told:
    return Told(
        piece(**more), 3, (("ALD.slab", "161738-1-1"), ("ALD.order", "710045-01")), ("a|b|c",), ("cast", "tap"), NOW
    )


def keys(*more: PlantKey) -> KeyList:
    known = (PlantKey("ALD", ALD.public.hex(), 0), *more)
    return KeyList(version=1, hub="HUB", issued_ms=NOW, keys=known)


def packed(count: int) -> str:
    """A packing list of coils of one heat, as a pack's attribute has it."""
    chemistry = piece().chemistry_e6
    listed = [
        Packed(
            material_id=f"{at:032x}", kind="slit", aliases=(NewAlias("BRK.slit", f"B6-{at:05}"),),
            mass=Mass(2_000_000 + at, "weighed", "S1", NOW),
            size=Size(1_500, 300_000, 0), grade="L06", order_item="710045/10", heat_number="161738", chemistry_e6=chemistry,
            attributes={"only_for": "710099/10"} if at == 1 else {},
        )
        for at in range(count)
    ]  # fmt: skip
    return msgspec.json.encode(listed).decode()


def test_a_packs_passport_lists_its_pieces_as_long_as_they_fit() -> None:
    pack = {"kind": "pack", "attributes": {MEMBERS: packed(6)}}
    found = read_passport(to_text(make_piece(shipped(), told(**pack), ALD)), keys(), "BRK", NOW).piece
    assert [(one.number, one.mass_g) for one in found.members] == [(f"B6-{n:05}", 2_000_000 + n) for n in range(6)]
    assert packing_list(told_piece(found).attributes[MEMBERS]) == packing_list(packed(6))
    assert differences(told_piece(found), piece(**pack)) == []
    lighter = {"kind": "pack", "attributes": {MEMBERS: packed(5)}}
    assert differences(told_piece(found), piece(**lighter)) == ["members: 6, told 5"]
    many = {"kind": "pack", "attributes": {MEMBERS: packed(60)}}
    large = read_passport(to_text(make_piece(shipped(), told(**many), ALD)), keys(), "BRK", NOW).piece
    assert large.members == ()
    assert differences(told_piece(large), piece(**many)) == [], "what is left out is no contradiction"


def test_whose_keys_count_is_not_believed_for_ever() -> None:
    late = NOW + 181 * DAY
    text = to_text(make_piece(shipped(issued_ms=late, expires_ms=late + 60 * DAY), told(), ALD))
    with pytest.raises(StrandlineError) as old:
        read_passport(text, keys(), "BRK", NOW + DAY)  # the plant's own clock fell back
    assert old.value.code == "passport.keys_old"


def test_a_passport_says_the_same_at_its_reader() -> None:
    text = to_text(make_piece(shipped(), told(), ALD))
    found = read_passport(f"  {text}\r\n", keys(), "BRK", NOW + DAY)
    assert found.standing == "good"
    assert found.piece.shipped == shipped()
    assert (found.piece.custody_no, found.piece.status_ms, found.piece.route) == (3, NOW, ("cast", "tap"))
    assert found.piece.genealogy == genealogy_digest(["a|b|c"])
    assert found.piece.aliases == (("ALD.slab", "161738-1-1"), ("ALD.order", "710045-01"))
    assert differences(told_piece(found.piece), piece()) == []
    assert told_piece(found.piece).holds == piece().holds
    assert told_piece(found.piece).attributes == piece().attributes
    assert differences(told_piece(found.piece), piece(grade="L07")) == ["grade: L06, told L07"]
    assert len(text) < 700


@given(st.binary(max_size=300))
def test_base45_is_its_own_inverse(raw: bytes) -> None:
    assert decode45(encode45(raw)) == raw
    assert len(encode45(raw)) == length45(len(raw))


def test_base45_is_that_of_the_standard() -> None:
    """RFC 9285, 4.3 and 4.4."""
    assert encode45(b"AB") == "BB8"
    assert encode45(b"Hello!!") == "%69 VD92EX0"
    assert encode45(b"base-45") == "UJCLQE7W581"
    assert decode45("QED8WEX0") == b"ietf!"


@pytest.mark.parametrize("text", ["", "SLP1:", "SLP1::::", "hello", "SLP1:abc:", f"SLP1:{'0' * 1500}:", "SLP1:GGW:"])
def test_what_is_no_passport_is_unreadable(text: str) -> None:
    with pytest.raises(StrandlineError) as refused:
        read_passport(text, keys(), "BRK", NOW)
    assert refused.value.code == "passport.unreadable"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_passes(at: int, by: int) -> None:
    wire = bytearray(WIRE)
    wire[at % len(wire)] ^= by
    with pytest.raises(StrandlineError) as refused:
        check_signature(bytes(wire), keys())
    assert refused.value.code in ("passport.altered", "passport.key_unknown", "passport.unreadable")


WIRE = make_piece(shipped(), told(), ALD)


@given(st.binary(max_size=WIRE_BYTES_MAX + 10))
def test_noise_is_refused_and_never_breaks(noise: bytes) -> None:
    for raw in (noise, WIRE[:HEAD_BYTES] + noise, WIRE[: len(noise)]):
        if raw != WIRE:
            with pytest.raises(StrandlineError):
                check_signature(raw, keys())


REFUSED: list[tuple[str, Callable[[], Passport]]] = [
    ("passport.key_unknown", lambda: read(make_piece(shipped(), told(), THIEF))),
    ("passport.key_unknown", lambda: check_signature(WIRE, None)),
    ("passport.altered", lambda: read(WIRE[:-1] + bytes([WIRE[-1] ^ 1]))),
    ("passport.altered", lambda: read(under_name(make_piece(shipped(), told(), THIEF), ALD))),
    ("passport.forged", lambda: read(make_piece(shipped(), told(), THIEF), PlantKey("CLD", THIEF.public.hex(), 0))),
    ("passport.addressed_elsewhere", lambda: read(WIRE, here="CLD")),
    ("passport.expired", lambda: read(WIRE, now=NOW + 60 * DAY + 1)),
    ("passport.expired", lambda: read(make_piece(shipped(expires_ms=NOW - 1), told(), ALD), now=0)),
    ("passport.revoked", lambda: read(make_piece(shipped(seq=600), told(), THIEF), stolen(600))),
    ("passport.revoked", lambda: read(make_piece(shipped(), told(), THIEF), stolen(0, ""))),
]


def read(wire: bytes, *more: PlantKey, here: str = "BRK", now: int = NOW) -> Passport:
    return read_passport(to_text(wire), keys(*more), here, now)


def under_name(wire: bytes, other: SigningKey) -> bytes:
    """Somebody's passport that names another's key."""
    return wire[:2] + bytes.fromhex(other.id) + wire[10:]


def stolen(seq: int, epoch: str = EPOCH) -> PlantKey:
    return PlantKey("ALD", THIEF.public.hex(), 0, Revoked(epoch, seq, NOW))


@pytest.mark.parametrize(("code", "attempt"), REFUSED)
def test_each_refusal_names_its_reason(code: str, attempt: Callable[[], Passport]) -> None:
    with pytest.raises(StrandlineError) as refused:
        attempt()
    assert refused.value.code == code
    assert refused.value.what
    assert refused.value.todo


def test_what_a_revoked_key_signed_before_is_neither_good_nor_refused() -> None:
    assert read(make_piece(shipped(seq=599), told(), THIEF), stolen(600)).standing == "revoked"
    other_life = make_piece(shipped(epoch=bytes(16), seq=700), told(), THIEF)
    assert read(other_life, stolen(600)).standing == "revoked"


def test_a_small_body_that_unpacks_into_a_large_one_is_not_unpacked() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(BODY_BYTES_MAX * 200)) + packer.flush()
    with pytest.raises(ValueError, match="unpacks into more"):
        open_body(split(WIRE[:HEAD_BYTES] + bomb))


def test_what_is_too_long_is_left_out_in_order_and_the_rest_is_refused() -> None:
    many = tuple((f"ALD.x{n}", f"number {n} {n * 7919}") for n in range(12))
    long = Told(piece(), 3, (*many[:11], ("ALD.slab", "161738-1-1")), (), tuple(f"operation {n}" for n in range(12)))
    body = open_body(split(make_piece(shipped(), long, ALD)))
    assert isinstance(body, PieceBody)
    assert body.number == "161738-1-1"
    with pytest.raises(ValueError, match="length"):
        make_piece(shipped(), Told(piece(number="9" * 60), 3), ALD)
    noisy = {f"E{n}": (n * 2_654_435_761) % 2**40 for n in range(40)}
    heats = {f"{(n * 2_654_435_761) % 2**40:x}-{n}" * 3: 80_000 + n for n in range(12)}
    aliases = {f"k{n}": f"{(n + 77) ** 9:x}" * 2 for n in range(12)}
    with pytest.raises(ValueError, match="a code takes"):
        make_piece(shipped(), Told(piece(chemistry_e6=noisy, heats=heats, attributes=aliases), 3), ALD)


def test_the_digest_of_a_load_is_that_of_its_pieces_in_any_order() -> None:
    assert digest_all(["aa" * 32, "bb" * 32]) == digest_all(["bb" * 32, "aa" * 32]) != digest_all(["aa" * 32])


def test_a_list_of_keys_counts_under_the_root_alone() -> None:
    hub, root_key, holders = new_key(), new_key(), [new_key(), new_key()]
    named = [(key.id, Key(key.public.hex(), "holder")) for key in holders]
    root = build_root(1, 0, [root_key], named, hub.public.hex(), 1, 2)
    assert open_list(seal_list(keys(), hub), root) == keys()
    for wrong in (seal_list(keys(), THIEF), seal_list(keys(), hub)[:-30] + '"}]}', "{}", "[" * 5_000, "x" * 300_000):
        with pytest.raises(StrandlineError) as refused:
            open_list(wrong, root)
        assert refused.value.code == "passport.bad_list"


def test_a_passport_that_was_printed_once_is_read_for_ever() -> None:
    known = KeyList(version=1, hub="HUB", issued_ms=NOW, keys=(PlantKey("ALD", PRINTED_BY, 0),))
    found = read_passport(PRINTED, known, "BRK", NOW).piece
    assert (found.number, dict(found.chemistry)["C"], found.mass_g) == ("161738-1-1", 450, 20_560_000)
    assert (found.shipped.number, found.shipped.seq, found.quality) == ("T-4711", 512, "held")


PRINTED_BY = "3516ddba63cbc8667efba429b3fa991dc0877776fa8dfbcf37b3ff74dde54312"
PRINTED = (
    "SLP1:W50GQEH3B0Y0.MUZ2K4B5:FC7:JB38FKM-SE6PMFQAPXS.7LJD14$5F7JT0PAOHE3V9UAHC059II1W90GY$9XS8L+S:$1S72.4N.55XJ2"
    "*6GX017XNF34+4DLUK1WPY5LJAUTB0Z8DFEB-2M1LNQKSCAKS$BDG0/PK0*P9V45KCW31H$P9462R6Q%6*BQNDO8DTKRHDH0WQCADG3OJ7J4KW"
    "LBEOE 4A4TME01SP0OTIWL+3OTKQSMHUF2 *AUMG.WMA 6:Y67S63X0FH9PYEG%IPNO+OKT*QY.IK.G:Y0M3L5$0OSH R1PBKR$FWTGU9TFDJU"
    "M2.8623FUYJRHTIIKL2I5KEOYOVNIT-QEQK5PIJ-SQWJX8ED5QK%M+D6NR59+R9-GN1D2.13MB4VBZ3JP5QY 8TFF/A78$4.*UZUJZ36 ACZPO"
    "Y%HTSH:L6+$46HBCHEI97N$31Z0M7P97D+9MVNIN*Q0ZI0:8N5QZ90/W8W05HHPRXP9XH%WPK873PQKJT7J4CO933E DW3YUAWNJX7XQMHPT6M"
    "T-O98L27M9$4J7Z200:"
)
