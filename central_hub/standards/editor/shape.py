"""A document's schema as a tree of form fields. Pure; made once a kind."""

from __future__ import annotations

import types
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from central_hub.standards.editor.words import HELP, LONG, label_of, unit_of
from shared.standards.documents import AnyStandard

Widget = Literal["text", "long", "number", "flag", "choice", "words", "several", "scalar"]
SCALARS: tuple[str, ...] = ("text", "long", "number", "flag", "choice", "words", "several", "scalar")
HIDDEN = ("schema_version", "kind")
"""Fields that a person does not choose: which kind it is says the address, and which schema the kind."""

LAST = ("scope", "needs", "depends", "parameters")


@dataclass(frozen=True)
class Node:
    """One field of the form, with all that lies within it.

    widget    a scalar's control, or group | list | table (rows of scalars) | grid (rows of a practice) | map | variant
    fields    of a group, or of each row of a table; item: of a list, or the value of a map
    nullable  nothing typed is a value of its own (None), not the empty text
    variants  tag -> group, where one of several shapes is chosen; tag_name: the field that says which
    """

    name: str
    widget: str
    label: str = ""
    unit: str = ""
    help: str = ""
    needed: bool = False
    nullable: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    fields: tuple[Node, ...] = ()
    item: Node | None = None
    variants: tuple[tuple[str, Node], ...] = ()
    tag_name: str = ""

    @property
    def is_scalar(self) -> bool:
        """Whether one control holds it."""
        return self.widget in SCALARS

    def field(self, name: str) -> Node | None:
        """The field of that name."""
        return next((field for field in self.fields if field.name == name), None)

    def variant(self, tag: Any) -> Node:
        """The shape under a tag; the first where there is none such."""
        return dict(self.variants).get(str(tag), self.variants[0][1])


def model_of(kind: str) -> type[BaseModel] | None:
    """The class of a kind's documents."""
    return next((model for model in get_args(AnyStandard) if model.model_fields["kind"].default == kind), None)


@lru_cache(maxsize=50)  # kinds: a dozen
def shape_of(model: type[BaseModel], name: str = "") -> Node:
    """The group of a model's fields."""
    names = sorted(model.model_fields, key=lambda key: key in LAST)  # what a document says comes before its frame
    fields = tuple(_field(key, model.model_fields[key]) for key in names if key not in HIDDEN)
    said = (model.__doc__ or "").strip().split("\n")[0]
    return Node(name, "group", label_of(name), help=said, fields=fields)


def _field(name: str, info: FieldInfo) -> Node:
    annotation = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    node = _node(name, annotation, info.discriminator if isinstance(info.discriminator, str) else "")
    default = None if info.default is PydanticUndefined else info.default
    return replace(
        node,
        label=label_of(name),
        unit=unit_of(name) if node.is_scalar else "",
        help=info.description or HELP.get(name, ""),
        needed=info.is_required(),
        default=default if isinstance(default, str | int | bool) else None,
    )


def _node(name: str, annotation: Any, discriminator: str = "") -> Node:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        told = next((m.discriminator for m in inner[1:] if isinstance(getattr(m, "discriminator", None), str)), "")
        return _node(name, inner[0], discriminator or told)
    if origin is Literal:
        return Node(name, "choice", choices=tuple(str(value) for value in inner))
    if origin in (Union, types.UnionType):
        members = tuple(one for one in inner if one is not type(None))
        return replace(_union(name, members, discriminator), nullable=len(members) < len(inner))
    if origin is tuple:
        return _tuple(name, inner[0])
    if origin is dict:
        return Node(name, "map", item=replace(_node("value", inner[1]), needed=True))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return shape_of(annotation, name)
    return Node(name, _scalar(name, annotation))


def _scalar(name: str, annotation: Any) -> str:
    if annotation is bool:
        return "flag"
    if annotation is int:
        return "number"
    return "long" if name in LONG else "text"


def _union(name: str, members: tuple[Any, ...], discriminator: str) -> Node:
    if len(members) == 1 and isinstance(members[0], type) and issubclass(members[0], BaseModel):
        given = shape_of(members[0], name)
        return Node(name, "variant", variants=(("", Node(name, "group")), ("given", given)))
    if len(members) == 1:
        return _node(name, members[0])
    if discriminator:
        shapes = tuple((str(m.model_fields[discriminator].default), shape_of(m, name)) for m in members)
        return Node(name, "variant", variants=shapes, tag_name=discriminator)
    return Node(name, "scalar")


def _tuple(name: str, of: Any) -> Node:
    item = _node(name, of)
    if item.widget == "choice":
        return Node(name, "several", choices=item.choices)
    if item.widget in ("text", "long"):
        return Node(name, "words")
    if item.widget in ("scalar", "row"):
        return Node(name, "row" if item.widget == "scalar" else "grid")
    as_table = item.widget == "group" and 0 < len(item.fields) <= 8 and all(f.is_scalar for f in item.fields)
    return Node(name, "table" if as_table else "list", item=item)
