"""The one door for settings: one TOML file a node, overridden by the environment (STRANDLINE_…), checked at the start.

Every limit has its unit in its name and its reason beside it. docs/operations.md lists them all (a test compares).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
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
    away_after_s: float = Field(60, gt=0, description="A plant not heard of for this long is shown as away.")


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
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    web: WebSettings = WebSettings.model_validate({})
    sync: SyncSettings = SyncSettings.model_validate({})

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite:///{self.folder / 'node.sqlite'}"

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
    hub_url: str = Field(description="Where the hub is; the plant calls out, never the other way.")
    apply_entries_max: int = Field(500, ge=1, description="Entries applied in one transaction: bounds its length.")
    interpret_messages_max: int = Field(50, ge=1, description="Level-2 messages interpreted in one transaction.")
    link_addresses: dict[str, str] = Field({}, description="Level-2 link -> address, in place of the plant model's.")

    @property
    def spool(self) -> str:
        """The spool's own database."""
        return f"sqlite:///{self.folder / 'spool.sqlite'}"


class HubSettings(NodeSettings):
    """The hub."""

    apply_entries_max: int = Field(500, ge=1, description="Entries applied in one transaction: bounds its length.")
    token_hours: int = Field(48, ge=1, description="An enrolment token not used by then is void.")
    margin_minutes: int = Field(15, ge=0, description="Added to clock offsets before absence is judged between plants.")


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
    for key in ("folder", "model", "clock_file"):
        if isinstance(values.get(key), str):
            values[key] = (file.parent / values[key]).resolve()
    return check(kind, values, where=str(file))


def check(kind: type[S], values: dict[str, Any], where: str) -> S:
    """Validate settings given as values."""
    try:
        return kind(**values)
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadSetup(
            "settings.invalid",
            f"The settings in {where} do not hold: {lines}.",
            todo="Mend these keys; docs/operations.md lists them all.",
        ) from error
