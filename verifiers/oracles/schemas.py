"""JSON Schema: compiled once, nothing fetched, each violation with the path of the value that violates it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from holdfast.verifiers.oracles.json_values import path_text
from holdfast.verifiers.shown import shown

if TYPE_CHECKING:
    from jsonschema_rs import Validator

BACKTRACK_LIMIT = 100_000
"""Steps that a pattern may take on one text."""
_SHOWN = 200
_IT = "it"


class BadSchema(ValueError):
    """A schema that is no JSON Schema; the message says where and why."""


class TooDeep(ValueError):
    """A value that is nested too deeply to be checked."""


class Violation(NamedTuple):
    """A value that violates a schema: the keyword, the value's path, a key of it that is meant, and what is wrong."""

    keyword: str
    path: tuple[str | int, ...]
    key: str | None
    what: str


def violations(value: Any, schema: Any) -> Iterator[Violation]:
    """What in a JSON value violates a schema, one by one; BadSchema where the schema cannot be used."""
    try:
        errors = iter(_compiled(orjson.dumps(schema)).iter_errors(value))
    except BadSchema:
        raise
    except ValueError as error:  # of the value: its nesting is deeper than the checker goes
        raise TooDeep(str(error)) from None
    for one in errors:
        kind: Any = one.kind
        path, name = tuple(one.instance_path), str(kind.name)
        if name in ("additionalProperties", "unevaluatedProperties"):
            for key in kind.unexpected:
                yield Violation(name, path, key, f"{_clipped(repr(key))} is not among the properties of the schema")
        elif name == "required":
            yield Violation(name, path, None, f"{_clipped(repr(kind.property))} is missing")
        else:
            yield Violation(name, path, None, _clipped(one.message))


@lru_cache(maxsize=256)
def _compiled(schema: bytes) -> Validator:
    from jsonschema_rs import FancyRegexOptions, ValidationError, validator_for

    options: dict[str, Any] = {
        "offline": True,
        "pattern_options": FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT),
        "validate_formats": True,
    }
    loaded = orjson.loads(schema)
    try:
        return validator_for(loaded, mask=_IT, **options)
    except ValueError:
        pass
    try:  # again without the mask, for a message that names what is wrong
        return validator_for(loaded, **options)
    except ValidationError as error:
        raise BadSchema(f"at {path_text(list(error.instance_path))}: {_clipped(error.message)}") from None
    except ValueError as error:
        raise BadSchema(_clipped(str(error))) from None


def _clipped(text: str) -> str:
    return shown(text, _SHOWN)
