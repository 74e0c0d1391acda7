"""Labels of a load sent to one of the plant's own label printers, as orders that the collector carries out once."""

from __future__ import annotations

from local_mes.level2 import outbox
from local_mes.level2.devices.jobs import PRINT, find_devices, layout_of
from local_mes.level2.links import Link, load_links
from local_mes.level2.outbox import pass_on_now
from local_mes.passports.label import HEIGHT_MM, WIDTH_MM, make_label, to_zpl
from local_mes.passports.papers import LoadDocuments
from local_mes.plant import Plant
from shared.errors import NotFound, Refused


def find_printers(plant: Plant) -> list[Link]:
    """Label printers with paper of the size of a passport's label, or larger."""
    printers = [link for link in find_devices(load_links(plant.settings)) if link.kind == "printer"]
    return [link for link in printers if _fits(link)]


def print_labels(
    plant: Plant, documents: LoadDocuments, device: str, piece: str, *, actor: str, command_id: str
) -> int:
    """Queue the labels of a load, or of one of its pieces; returns how many. Done once for a command id."""
    link = next((one for one in find_printers(plant) if one.code == device), None)
    if link is None:
        raise NotFound(
            "passport.no_printer",
            f"{device} is no label printer here with paper of {WIDTH_MM:.0f} by {HEIGHT_MM:.0f} mm.",
            todo="Choose one of the list, or print the labels as PDF.",
        )
    chosen = [documents.find(piece)] if piece else list(documents.pieces)
    if not chosen:
        raise Refused("passport.no_labels", f"No piece of load {documents.number} has a passport.")
    dots = layout_of(link).dots_mm
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return int(earlier)
        for one in chosen:
            fields = {
                "piece": one.number,
                "material_id": one.body.material_id.hex(),
                "text": one.number,
                "zpl": to_zpl(make_label(one.body, one.text, dots)),
                "copies": 1,
                "test": False,
                "by": actor,
            }
            outbox.tell(tx.conn, device, PRINT, fields, key=f"{PRINT}:{command_id}:{one.digest[:16]}")
        tx.done(command_id, len(chosen))
    pass_on_now(plant)
    return len(chosen)


def _fits(link: Link) -> bool:
    layout = layout_of(link)
    return layout.width_mm >= WIDTH_MM and layout.height_mm >= HEIGHT_MM
