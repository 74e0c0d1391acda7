"""The one door for settings: one TOML file a node, overridden by the environment (STRANDLINE_…), checked at the start.

Every limit has its unit in its name and its reason beside it. docs/operations.md lists them all (a test compares).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FilePath, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from shared.errors import BadSetup

S = TypeVar("S", bound="NodeSettings")


class SyncSettings(BaseModel):
    """How streams move between nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_entries_max: int = Field(2_000, ge=1, le=2_000, description="Entries in one push: more gains nothing.")
    batch_bytes_max: int = Field(2 << 20, ge=65_536, description="Raw bytes in one push: bounds the receiver's memory.")
    connect_timeout_s: float = Field(5, gt=0, description="A peer that does not answer a connect by then is away.")
    read_timeout_s: float = Field(60, gt=0, description="Longer than the longest poll, shorter than patience.")
    poll_s: float = Field(25, gt=0, le=50, description="Long poll for the way down; below usual proxy time-outs.")
    heartbeat_s: float = Field(30, gt=0, description="An empty seal this often carries the watermark (real seconds).")
    retry_first_s: float = Field(1, gt=0, description="First back-off after a failure; doubles with full jitter.")
    retry_max_s: float = Field(300, gt=0, description="Longest back-off: a healed link is found within 5 minutes.")
    bundle_bytes_max: int = Field(
        64 << 20, ge=65_536, description="A bundle is closed at this size; more files follow."
    )
    authority: FilePath | None = Field(None, description="Who issued the hub's certificate (PEM), if nobody public.")
    allow_plain_http: str = Field("", description="Why a hub elsewhere may be called without TLS; pages show it.")
    away_after_s: float = Field(60, gt=0, description="A plant not heard of for this long is shown as away.")
    watch_s: float = Field(5, gt=0, description="How often the line's own figures are looked at (real seconds).")
    history_minute_days: int = Field(7, ge=1, description="Figures a minute are kept so long, then figures an hour.")
    history_hour_days: int = Field(400, ge=7, description="A year of the line and the month before it, to compare.")
    target_uptime_percent: float = Field(99, ge=0, le=100, description="What the line should reach over 30 days.")
    target_latency_ms: int = Field(250, ge=1, description="A round trip; above it pages over the line feel slow.")
    target_kbit_s: int = Field(256, ge=1, description="What full batches should reach: a day's backlog in an hour.")
    unsent_minutes: int = Field(15, ge=1, description="With the line up, facts waiting longer than this are an alarm.")
    silent_info_minutes: int = Field(60, ge=1, description="No contact for so long is told.")
    silent_alarm_hours: int = Field(72, ge=1, description="No contact for so long is an alarm.")
    clock_tolerance_s: int = Field(120, ge=1, description="Clocks further apart than this are told on every page.")


class RouteSettings(BaseModel):
    """One address of the hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="What people call it: wan, lte, satellite.")
    url: str = Field(pattern=r"^https?://", description="The hub's address over this route.")
    priority: int = Field(1, ge=1, le=99, description="The lowest number that is well is used; latency decides equals.")


class PlantSyncSettings(SyncSettings):
    """A plant calls, so it has routes to call over."""

    routes: tuple[RouteSettings, ...] = Field((), description="Further addresses of the hub: name, url, priority.")
    route_failures_max: int = Field(2, ge=1, le=20, description="Failures in a row after which a route is left.")
    route_probe_s: float = Field(30, gt=0, description="How often each route is measured (real seconds).")
    route_hold_s: float = Field(120, gt=0, description="A better route must be well this long before it is used.")


class OwnershipSettings(BaseModel):
    """Who decides in a plant's domains: its own people, or the centre."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order_release: Literal["plant", "hub"] = Field("plant", description="Who releases orders: people here, or the hub.")
    disposition: Literal["plant", "hub"] = Field("plant", description="Who decides on held pieces: here, or the hub.")
    away_hours: int = Field(
        8, ge=1, le=168, description="With no word of the hub for so long people here decide again."
    )


class OfficeRight(BaseModel):
    """What a person of the standards office may do; no kinds or areas: all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login: str = Field(min_length=1, description="As the person signs in.")
    may: Literal["draft", "approve"] = Field(description="What it is a right to.")
    kinds: tuple[str, ...] = Field((), description="Kinds of standards.")
    areas: tuple[str, ...] = Field((), description="Classes of equipment.")


class WebSettings(BaseModel):
    """The pages and the API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8400, ge=1, le=65_535, description="Port to listen on.")
    threads: int = Field(48, ge=4, le=256, description="Requests at once; a long poll holds one.")
    body_bytes_max: int = Field(4 << 20, ge=65_536, description="Largest request body: a batch with its seal fits.")
    session_hours: int = Field(12, ge=1, le=24, description="A person signs in once a shift.")
    login_tries_max: int = Field(5, ge=3, description="Wrong passwords before an account waits.")
    login_wait_s: int = Field(300, ge=10, description="How long it waits: slows guessing, spares people.")
    secure_cookies: bool = Field(False, description="True behind TLS: the session cookie then never travels in clear.")


class NodeSettings(BaseSettings):
    """What plant and hub have in common."""

    model_config = SettingsConfigDict(env_prefix="STRANDLINE_", env_nested_delimiter="__", extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,11}$", description="The node's code in the group, kept for ever.")
    name: str = Field(description="What people call it.")
    folder: Path = Field(description="The node's own folder: database, spool, keys, anchor.")
    database_url: str = Field("", description="Empty: SQLite in the folder; else postgresql://…")
    clock_file: Path | None = Field(None, description="Follow this time signal instead of the machine's clock.")
    archive_days: int = Field(90, ge=1, description="Bytes of facts older than this move to the archive at night.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    web: WebSettings = WebSettings.model_validate({})
    sync: SyncSettings = SyncSettings.model_validate({})

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite:///{self.folder / 'node.sqlite'}"

    @property
    def archive_folder(self) -> Path:
        """Where the files of archived facts lie."""
        return self.folder / "archive"

    @property
    def key_file(self) -> Path:
        """The node's private key."""
        return self.folder / "keys" / "node.pem"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


class PlantSettings(NodeSettings):
    """One plant."""

    model: Path = Field(description="The plant model file (TOML).")
    hub_url: str = Field("", description="Where the hub is: one route named main. Without any the plant is alone.")
    sync: PlantSyncSettings = PlantSyncSettings.model_validate({})
    apply_entries_max: int = Field(500, ge=1, description="Entries applied in one transaction: bounds its length.")
    interpret_messages_max: int = Field(50, ge=1, description="Level-2 messages interpreted in one transaction.")
    spool_days: int = Field(30, ge=2, description="Read messages stay so long: for a replay, a backup put back.")
    orders_days: int = Field(400, ge=30, description="Answered orders to Level 2 stay so long: none goes down twice.")
    shadow: bool = Field(False, description="True: all links only listen, beside an old MES (docs/pilot.md).")
    edge: str = Field("", pattern=r"^([A-Z][A-Z0-9]{1,11})?$", description="Code of the edge that collects on site.")
    ownership: OwnershipSettings = OwnershipSettings.model_validate({})
    stale_long_days: int = Field(30, ge=8, description="Standards not confirmed for so many days are long stale.")
    critical_grades: tuple[str, ...] = Field((), description="Grades whose new orders quality signs off then.")
    pilot: Path | None = Field(None, description="Rules of the daily comparison with an old MES (docs/pilot.md).")
    link_addresses: dict[str, str] = Field({}, description="Level-2 link -> address, in place of the plant model's.")

    @model_validator(mode="after")
    def _ways_differ(self) -> PlantSettings:
        """Each address under one name; none: the plant is alone, and may join a hub later."""
        routes = self.routes
        if len({route.name for route in routes}) < len(routes) or len({route.url for route in routes}) < len(routes):
            raise ValueError("two routes have the same name or the same url")
        return self

    @property
    def routes(self) -> tuple[RouteSettings, ...]:
        """All addresses of the hub: hub_url as route `main`, then those of [[sync.routes]]."""
        more = self.sync.routes
        if not self.hub_url or any(route.url == self.hub_url for route in more):
            return more
        return (RouteSettings.model_construct(name="main", url=self.hub_url, priority=1), *more)

    @property
    def spool(self) -> str:
        """The spool's own database."""
        return f"sqlite:///{self.folder / 'spool.sqlite'}"


class HubSettings(NodeSettings):
    """The hub."""

    apply_entries_max: int = Field(500, ge=1, description="Entries applied in one transaction: bounds its length.")
    token_hours: int = Field(48, ge=1, description="An enrolment token not used by then is void.")
    margin_minutes: int = Field(15, ge=0, description="Added to clock offsets before absence is judged between plants.")
    office: tuple[OfficeRight, ...] = Field((), description="Who may draft and approve which kinds and areas.")


def load(kind: type[S], file: Path) -> S:
    """Read a node's settings file (TOML); relative paths in it are relative to the file.

    BadSetup names file, key and what is wrong with it.
    """
    try:
        values = TomlConfigSettingsSource(kind, file)() if file.is_file() else None
    except ValueError as error:
        raise BadSetup("settings.not_toml", f"{file} is not TOML: {error}.", todo="Mend the line it names.") from error
    if values is None:
        raise BadSetup("settings.no_file", f"There is no settings file {file}.", todo="Give one with --config.")
    for key in ("folder", "model", "clock_file", "pilot"):
        if isinstance(values.get(key), str):
            values[key] = (file.parent / values[key]).resolve()
    return check(kind, values, where=str(file))


def check(kind: type[S], values: dict[str, Any], where: str) -> S:
    """Validate settings given as values."""
    try:
        return kind(**values)
    except ValidationError as error:
        lines = "; ".join(": ".join(filter(None, (".".join(map(str, e["loc"])), _words(e)))) for e in error.errors())
        raise BadSetup(
            "settings.invalid",
            f"The settings in {where} do not hold: {lines}.",
            todo="Mend these keys; docs/operations.md lists them all.",
        ) from error


def _words(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def take_notify_socket() -> str:
    """Where the supervisor (systemd) listens, or ''. It leaves the environment: gunicorn would say ready too early."""
    return os.environ.pop("NOTIFY_SOCKET", "")  # noqa: TID251 - this module is the door
