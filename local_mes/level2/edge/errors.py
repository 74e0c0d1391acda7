"""What can be wrong between an edge and the plant that hosts its MES."""

from __future__ import annotations

from shared.errors import BadSetup, Denied, Unavailable


def not_understood(stream: str, kind: str, version: int) -> Unavailable:
    """A fact of a newer release."""
    return Unavailable(
        "edge.not_understood",
        f"{stream} tells {kind} version {version}, which this release does not read.",
        kept="It and what follows wait in its journal, in order.",
        todo="Upgrade this side.",
    )


def own_collector(folder: object) -> BadSetup:
    """The spool has messages of a collector beside the plant."""
    return BadSetup(
        "edge.own_spool",
        f"The spool in {folder} holds messages of the plant's own collector.",
        kept="Nothing was changed.",
        todo="Finish its repairs and what waits, stop the plant, and move spool.sqlite away; then start again.",
    )


def no_collector_here(edge: str) -> BadSetup:
    """A collector was started where an edge collects."""
    return BadSetup(
        "edge.collects",
        f"The collector of this plant is the edge {edge}.",
        todo="Run `strandline plant edge run` on site; to collect here again take `edge` out of the settings.",
    )


def no_rest(link: str) -> BadSetup:
    """Posts would come to the plant's web address, and it is the edge that collects."""
    return BadSetup(
        "edge.rest_link",
        f"The link {link} is of kind rest and has no address: it would be posted to at the plant, not at the edge.",
        todo='Give it an address that the edge listens on, such as address = "0.0.0.0:8480".',
    )


def other_plant(model: str, peer: str) -> BadSetup:
    """The edge's model is not that of the plant it is enrolled at."""
    return BadSetup(
        "edge.other_plant",
        f"The model is of {model}, the plant that hosts this edge is {peer}.",
        todo="Give the edge the plant's own model file.",
    )


def token_refused(edge: str) -> Denied:
    """Wrong, used, or too old."""
    return Denied(
        "edge.token_refused",
        f"This token does not let {edge} in: it is wrong, was used, is too old, or is another edge's.",
        todo="Make a new one at the plant: strandline plant edge token.",
    )
