"""Builds parts of the model from their own stored form without cleaning them again: they were clean when stored.

Cleaning costs ten times as much as reading, and exports, indexes and figures read every dataset there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from harvester.fields.terms import Term
from harvester.model import Dataset, Part

P = TypeVar("P", bound=Part)
Shape = Callable[[Any], Any]


def trusted(raw: Mapping[str, Any]) -> Dataset:
    """The dataset whose `plain` form `raw` is."""
    return trusted_as(Dataset, raw)


def trusted_as(kind: type[P], raw: Mapping[str, Any]) -> P:
    """The part of this class whose `plain` form `raw` is."""
    shapes = _shapes(kind)
    values = {name: shapes[name](value) if name in shapes else value for name, value in raw.items()}
    # What `model_construct` does, without working out the defaults of thirty fields each time.
    part = kind.__new__(kind)
    object.__setattr__(part, "__dict__", _defaults(kind) | values)
    object.__setattr__(part, "__pydantic_fields_set__", set(values))
    object.__setattr__(part, "__pydantic_extra__", None)
    object.__setattr__(part, "__pydantic_private__", None)
    return part


@cache
def _defaults(kind: type[Part]) -> dict[str, Any]:
    return {name: field.get_default(call_default_factory=True) for name, field in kind.model_fields.items()}


@cache
def _shapes(kind: type[Part]) -> dict[str, Shape]:
    """How the JSON of each field becomes its value; fields that JSON holds as they are have none."""
    found = ((name, _shape(field.annotation)) for name, field in kind.model_fields.items())
    return {name: shape for name, shape in found if shape is not None}


def _shape(annotation: Any) -> Shape | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _shape(next(argument for argument in arguments if argument is not type(None)))
    if origin is tuple:
        return _tuple_of(_shape(arguments[0]))
    if origin is dict:
        return _dict_of(_shape(arguments[1]))
    if annotation is Term:
        return lambda item: Term(**item)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return lambda item: trusted_as(annotation, item)
    return None


def _tuple_of(inner: Shape | None) -> Shape:
    return tuple if inner is None else lambda items: tuple(inner(item) for item in items)


def _dict_of(inner: Shape | None) -> Shape | None:
    return None if inner is None else lambda items: {key: inner(item) for key, item in items.items()}
