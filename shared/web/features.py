"""What a feature gives to the web face of its node: blueprints and menu items, in one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint
from markupsafe import Markup
from sqlalchemy import Connection, Row

from shared.web.api_blueprint import APIBlueprint

SECTIONS = ("Now", "Material", "Production", "Quality", "Transfers", "Standards", "Figures", "Node")
"""Order of the menu; a section that no item names is not shown."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line of the menu. Without roles everyone signed in sees it."""

    section: str
    title: str
    endpoint: str
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A misspelt section would silently vanish from the menu."""
        if self.section not in SECTIONS:
            raise ValueError(f"menu section {self.section!r} of {self.endpoint} is none of {', '.join(SECTIONS)}")


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature's part of a face.

    pages     HTML blueprints: session sign-in, CSRF
    apis      JSON blueprints under /api/v1: bearer token, or session with CSRF header
    machine   blueprints that prove their caller themselves (sync): neither sign-in nor CSRF
    """

    pages: tuple[Blueprint, ...] = ()
    apis: tuple[APIBlueprint, ...] = ()
    machine: tuple[Blueprint, ...] = ()
    menu: tuple[MenuItem, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One honest sentence of the header. state is one of the six of the legend."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to when a plant's facts are in what is shown, ms UTC; None before its first word."""

    code: str
    name: str
    through_ms: int | None


SheetPort = Callable[[Connection, Row[Any]], Markup | None]
"""A section that a feature adds to the piece page, made in the page's transaction; None: nothing to say of this piece."""
StatusPort = Callable[[], Sequence[StatusLine]]
"""Registered by wiring; asked at every page and by the header's poll, so it must be quick (one small read)."""


def only_own() -> tuple[Mark, ...]:
    """A plant shows its own figures: complete up to now."""
    return ()


def no_others(_conn: Connection) -> tuple[str, ...]:
    """A face that knows no plants but those whose facts it has."""
    return ()


def no_shift(now_ms: int) -> str:
    """A face without shifts says nothing."""
    return ""


@dataclass(frozen=True, slots=True)
class Face:
    """Who this node is to a person.

    kind   "plant" or "hub"
    zone   IANA name of the zone in which times are shown
    shift  text of the shift at a time, such as "Early, crew B"
    home   endpoint of the landing page
    search endpoint of the search page; empty while a face has none
    band   said across every page, unmistakably; empty: nothing
    demo   the node lives in a played time: said on every page
    roles  the roles a person can have here, with one line of meaning each
    deeds  what people do with one piece: pages called with its number, offered on the piece page
    parts  what features add to the piece page, below what every node shows first
    group  codes of the group's plants, as far as this node knows them beside their facts
    marks  of each plant whose facts the figures are made of; asked before a request reads anything else
    """

    kind: str
    code: str
    name: str
    zone: str
    home: str
    roles: dict[str, str]
    search: str = ""
    shift: Callable[[int], str] = no_shift
    band: str = ""
    demo: bool = False
    status: tuple[StatusPort, ...] = field(default=())
    deeds: tuple[MenuItem, ...] = ()
    parts: tuple[SheetPort, ...] = ()
    marks: Callable[[], tuple[Mark, ...]] = only_own
    group: Callable[[Connection], Collection[str]] = no_others
