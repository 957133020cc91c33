"""The OpenAPI document as a reader meets it: sections of operations, their forms, answers and schemas.

Viewers of OpenAPI documents that can be vendored (Swagger UI, RapiDoc, Scalar, Stoplight Elements)
have controls without a name and text too pale to read; this page is the site's own, small, and passes
the same checks as its others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSON_MEDIA = "application/json"
_REFERENCE = "#/components/schemas/"
_READING = ("get", "head")


@dataclass(frozen=True)
class Entry:
    """One value that an operation takes, or one member of a schema.

    Args:
        name: Its name.
        place: ``path``, ``query`` or ``form``; ``member`` in a schema.
        kind: What it is entered with: ``text``, ``number``, ``file`` or ``choice``.
        told: Its type and limits in words.
        schema: Name of the schema it refers to; empty without one.
        required: Whether it must be given.
        description: What it means.
        choices: Values of a ``choice``.
        limits: Least and greatest number; None where there is none.
        default: What holds where nothing is given, as text; empty without one.
        sample: A value that works.
    """

    name: str
    place: str
    kind: str
    told: str
    schema: str
    required: bool
    description: str
    choices: tuple[str, ...] = ()
    limits: tuple[float | None, float | None] = (None, None)
    default: str = ""
    sample: str = ""


@dataclass(frozen=True)
class Body:
    """What an operation may be sent: JSON, begun with ``sample``, or a form of ``entries``."""

    media_type: str
    schema: str
    sample: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Outcome:
    """One documented answer; ``schema`` is empty where it is no JSON object of the document."""

    status: str
    description: str
    media_types: tuple[str, ...]
    schema: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    operation_id: str
    method: str
    path: str
    summary: str
    needs_key: bool
    entries: tuple[Entry, ...]
    bodies: tuple[Body, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class SchemaPart:
    """A named schema and its members."""

    name: str
    description: str
    members: tuple[Entry, ...]


@dataclass(frozen=True)
class Reference:
    """The whole document: operations by tag, in its order, and the schemas that they name."""

    sections: dict[str, list[Operation]]
    schemas: tuple[SchemaPart, ...]


def read_reference(document: Mapping[str, Any], samples: Mapping[str, Any]) -> Reference:
    """Turn an OpenAPI document into what its page shows.

    Args:
        document: OpenAPI 3.1, as ``get_openapi`` answers it.
        samples: Values that work, by name of parameter or member; operations that change
            something are begun without them.
    """
    schemas = document["components"]["schemas"]
    sections: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            begun = samples if method in (*_READING, "post") else {}
            operation = _operation(path, method, told, schemas, begun)
            sections.setdefault(told["tags"][0], []).append(operation)
    parts = (
        SchemaPart(name, one.get("description", ""), tuple(_members(one, "member", {})))
        for name, one in schemas.items()
    )
    return Reference(sections, tuple(parts))


def _operation(
    path: str, method: str, told: dict[str, Any], schemas: dict[str, Any], samples: Mapping[str, Any]
) -> Operation:
    entries = [
        _entry(one["name"], one["schema"], one["in"], bool(one.get("required")), samples)
        for one in told.get("parameters", ())
    ]
    sent = told.get("requestBody", {}).get("content", {})
    bodies = [_body(media_type, one["schema"], schemas, samples) for media_type, one in sent.items()]
    outcomes = [_outcome(status, one) for status, one in sorted(told["responses"].items())]
    return Operation(
        operation_id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        needs_key=bool(told.get("security")),
        entries=tuple(entries),
        bodies=tuple(bodies),
        outcomes=tuple(outcomes),
    )


def _body(
    media_type: str, schema: dict[str, Any], schemas: dict[str, Any], samples: Mapping[str, Any]
) -> Body:
    if media_type == JSON_MEDIA:
        sample = json.dumps(_sample(schema, schemas, samples), indent=2, ensure_ascii=False)
        return Body(media_type, _name(schema), sample, ())
    return Body(media_type, "", "", tuple(_members(schema, "form", samples)))


def _outcome(status: str, told: dict[str, Any]) -> Outcome:
    content = told.get("content", {})
    named = [name for one in content.values() if (name := _name(one.get("schema", {})))]
    return Outcome(status, told.get("description", ""), tuple(content), named[0] if named else "")


def _members(schema: dict[str, Any], place: str, samples: Mapping[str, Any]) -> Iterator[Entry]:
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield _entry(name, one, place, name in required, samples)


def _entry(
    name: str, schema: dict[str, Any], place: str, required: bool, samples: Mapping[str, Any]
) -> Entry:
    bare = _without_null(schema)
    choices = tuple(map(str, bare.get("enum", ())))
    if bare.get("type") == "boolean":
        choices = ("true", "false")
    numeric = bare.get("type") in ("integer", "number")
    is_file = bare.get("format") == "binary"
    default = schema.get("default")
    return Entry(
        name=name,
        place=place,
        kind="choice" if choices else "file" if is_file else "number" if numeric else "text",
        told=_type_of(schema),
        schema=_name(bare) or _name(_without_null(bare.get("items", {}))),
        required=required,
        description=schema.get("description", ""),
        choices=choices,
        limits=(bare.get("minimum"), bare.get("maximum")),
        default="" if default is None else json.dumps(default).strip('"'),
        sample=str(samples.get(name, "")) if required else "",
    )


def _type_of(schema: dict[str, Any]) -> str:
    """A type in words.

    Example:
        >>> _type_of({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "null"}]})
        'integer, 1 to 9, or null'
    """
    bare = _without_null(schema)
    words = str(_name(bare) or bare.get("type", "any"))
    if words == "array":
        words = f"list of {_type_of(bare.get('items', {}))}"
    least, most = bare.get("minimum"), bare.get("maximum")
    if least is not None and most is not None:
        words += f", {least:g} to {most:g}"
    return words if bare is schema else f"{words}, or null"


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return kinds[0] if kinds else schema


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)


def _sample(
    schema: dict[str, Any], schemas: dict[str, Any], samples: Mapping[str, Any], name: str = ""
) -> Any:
    """The least value of a schema: its required members, filled in from ``samples``."""
    bare = _without_null(schema)
    if known := schemas.get(_name(bare)):
        return _sample(known, schemas, samples, name)
    if bare.get("type") == "array":
        return [_sample(bare["items"], schemas, samples, name)]
    if bare.get("type") == "object":
        members = bare.get("properties", {})
        return {one: _sample(members[one], schemas, samples, one) for one in bare.get("required", ())}
    if name in samples:
        return samples[name]
    return bare.get("maximum", "")
