"""Reading a plant model file: whole and valid, or one paragraph that says which key and what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from local_mes.model.domain import PlantModel
from local_mes.model.errors import bad_file


def load_model(path: Path, text: str | None = None) -> PlantModel:
    """The plant model in a TOML file, or in a text that would be its; BadSetup naming file, key and remedy."""
    document = read_document(path, text)
    try:
        return PlantModel.model_validate({**document, "folder": path.parent})
    except ValidationError as error:
        raise bad_file(path, _faults(error), "Mend the named keys and start again.") from error


def read_document(path: Path, text: str | None = None) -> dict[str, Any]:
    """What the model's file says, or a text would in its place, as yet unchecked; BadSetup where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8") if text is None else text
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise bad_file(path, why, "Check the path in the plant's configuration.") from error
    except UnicodeDecodeError as error:
        raise bad_file(path, "it is not UTF-8 text", "Save it as UTF-8.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise bad_file(path, f"it is not TOML, {error}", "Mend the line and start again.") from error


def _faults(error: ValidationError) -> str:
    """All faults in one sentence; list positions count from 1 as people do."""
    found = []
    for fault in error.errors():
        where = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in fault["loc"])
        said = fault["msg"].removeprefix("Value error, ")
        found.append(f"{where}: {said}" if where else said)
    return "; ".join(found)
