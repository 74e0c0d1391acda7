"""A feature's JSON API. Its part of the OpenAPI document is written when somebody asks for the document, not at the start."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import flask_openapi
from flask_openapi.types import ParametersTuple


class APIBlueprint(flask_openapi.APIBlueprint):
    """As the library's, whose every decorator writes the schemas of what it decorates: a fifth of a node's start."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unwritten: list[Callable[[], ParametersTuple]] = []

    def write_document(self) -> None:
        """Fill paths, tags and components_schemas; once is enough, again changes nothing."""
        while self._unwritten:
            self._unwritten.pop(0)()

    def _collect_openapi_info(self, rule: str, func: Any, **said: Any) -> ParametersTuple:
        collect = super()._collect_openapi_info
        self._unwritten.append(partial(collect, rule, func, **said))
        return collect(rule, func, **{**said, "doc_ui": False})
