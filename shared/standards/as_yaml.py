"""A document as one YAML file, so that it can live in a repository; JSON is read as well, being YAML."""

from __future__ import annotations

import json
from typing import Any

import yaml

from shared.errors import BadInput
from shared.standards.canonical import body_of
from shared.standards.documents import AnyStandard

TEXT_MAX = 200_000
"""Characters of a file: a body has at most 150,000 bytes, and YAML is longer by its line breaks."""

DEPTH_MAX = 50
"""Lists within lists: a document has fewer than ten."""


def read_text(text: str) -> object:
    """The plain values of a file; BadInput says in which line it cannot be read."""
    if len(text) > TEXT_MAX:
        raise BadInput("standards.too_large", f"The file has {len(text)} characters.", todo=f"At most {TEXT_MAX}.")
    try:
        _check_plain(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(
            "standards.not_yaml", f"The document is neither YAML nor JSON: {_where(error)}.", todo="Mend that line."
        ) from error


def _check_plain(text: str) -> None:
    """Before anything is built: a few lines of anchors and aliases unfold to gigabytes, and what is nested without end
    is walked without end. The loader in C, because the other one takes seconds for some thousand brackets."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are not read")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise yaml.YAMLError(f"it is nested more than {DEPTH_MAX} deep")


def write_text(document: AnyStandard) -> str:
    """The document as YAML, fields in their own order; reading it gives the same canonical bytes."""
    values: dict[str, Any] = document.model_dump(mode="json")
    signed = json.loads(body_of(document))
    kept = {name: value for name, value in values.items() if name in signed}
    head = {name: kept.pop(name) for name in ("kind", "id", "version", "title")}
    return str(yaml.safe_dump({**head, **kept}, sort_keys=False, allow_unicode=True, width=110))


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"{problem} in line {mark.line + 1}" if mark else problem
