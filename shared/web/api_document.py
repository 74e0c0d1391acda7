"""The OpenAPI document: what the code says by itself, and what is true of every answer and only known here."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from flask_openapi import OpenAPI

from shared.web.api_blueprint import APIBlueprint

METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "application/problem+json"
WRITING = threading.Lock()
"""Held by the first request for the document while it writes it."""
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]


def describe(app: OpenAPI) -> dict[str, Any]:
    """The document of an app whose features are all registered."""
    with WRITING:
        for api in app.blueprints.values() if not app.spec_json else ():
            if isinstance(api, APIBlueprint):
                _write(app, api)
        document: dict[str, Any] = deepcopy(app.api_doc)
    schemes = document["components"]["securitySchemes"]
    schemes["session"] = {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    document["components"]["schemas"]["List"] = LIST
    roles = dict(_roles(app))
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _complete(operation, roles.get((method, path), ()))
    return document


def _write(app: OpenAPI, api: APIBlueprint) -> None:
    """Bring an API into the app's document; where it shares a path with an earlier one the methods of both are kept."""
    api.write_document()
    app.tags += [tag for tag in api.tags if tag.name not in app.tag_names]
    app.tag_names += [tag.name for tag in api.tags if tag.name not in app.tag_names]
    app.components_schemas |= api.components_schemas
    for path, item in api.paths.items():
        before = app.paths.get(path)
        both = {m: getattr(item, m) or getattr(before, m, None) for m in METHODS}
        app.paths[path] = item.model_copy(update=both)


LIST = {
    "type": "object",
    "description": "One page of a list; `next` is the `after` of the next page, null at the end.",
    "required": ["items", "next", "as_of"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"]},
        "as_of": {"type": "integer", "description": "ms since 1970 UTC"},
        "complete_through_ms": {
            "type": "object",
            "description": "at the hub: up to when each plant's facts are in the answer, ms since 1970 UTC or null",
            "additionalProperties": {"type": ["integer", "null"]},
        },
    },
}


def _complete(operation: dict[str, Any], roles: tuple[str, ...]) -> None:
    operation["security"] = SECURITY
    if roles:
        operation["x-roles"] = list(roles)
        told = f"Takes one of these roles: {', '.join(roles)}."
        operation["description"] = " ".join(filter(None, (operation.get("description"), told)))
    responses = operation["responses"]
    if not any(status.startswith("2") for status in responses):
        pages = any(given["name"] == "after" for given in operation.get("parameters", ()))
        schema = {"$ref": "#/components/schemas/List"} if pages else {"type": "object"}
        responses["2XX"] = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    refusals = {"401": "Nobody is signed in", "default": "Refused or failed"}
    if roles:
        refusals["403"] = "Another role is needed"
    if "requestBody" in operation:
        refusals |= {"400": "No JSON", "413": "Too large", "415": "Another content type"}
    if operation.get("parameters") or "requestBody" in operation:
        refusals["422"] = "Values that do not fit; `errors` names them"
    else:
        responses.pop("422", None)
    responses.update((status, _problem(words)) for status, words in refusals.items())


def _problem(words: str) -> Mapping[str, Any]:
    return {"description": words, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _roles(app: OpenAPI) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        roles = getattr(app.view_functions[rule.endpoint], "strandline_roles", ())
        for method in rule.methods or ():
            yield (method.lower(), path), roles
