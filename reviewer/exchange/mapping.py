"""From a record to a sample: mapped fields, the record's format, defaults; what nobody asked for stays as metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from holdfast.db.models import Message, Provenance, Sample
from holdfast.reviewer.exchange.fields import CONVERSATION, METADATA, NAMED, SAMPLING, read_field
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.exchange.paths import FieldPath
from holdfast.reviewer.exchange.raw import RecordError
from holdfast.reviewer.exchange.registry import Format
from holdfast.reviewer.exchange.turns import is_turns, read_text, read_turns
from holdfast.reviewer.exchange.values import dumps, scalar_text

_NAMED = frozenset(NAMED)
_OF_MODELS = frozenset({"model", "family", "generation"})


class ProvenanceMissing(RecordError):
    """Neither the record nor a default says who wrote the response."""


class Mapper:
    """Makes samples of the records of one format; where `prompt_optional`, one without a prompt has an empty one."""

    def __init__(self, options: ReadOptions, format: Format | None, *, prompt_optional: bool = False) -> None:
        self._format = format
        self._prompt_optional = prompt_optional
        self._only_mapped = options.only_mapped
        self._maps = [(name, FieldPath(path)) for name, path in options.maps]
        self._drops = [FieldPath(path) for path in options.drops]
        self._defaults = {name: read_field(name, value) for name, value in options.defaults}

    def sample(self, record: dict[str, Any]) -> tuple[Sample, str | None]:
        """The record, which is consumed, as a sample with the external id it names; RecordError says what is wrong."""
        mapped = self._take_mapped(record)
        for path in self._drops:
            path.remove(record)
        found, rest = self._read(record, mapped)
        self._take_named(rest, found)
        messages, extras = _conversation(found)
        fields = {name: read_field(name, value) for name, value in found.items() if name in _NAMED}
        self._fill_in(fields)
        metadata = self._metadata(rest, mapped)
        if extras and not self._only_mapped:
            metadata["message_fields"] = extras
        return _sample(messages, fields, metadata)

    def view(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as its format is recognised: mapped texts stand under their field's name. Consumes the record."""
        mapped = self._take_mapped(record)
        for path in self._drops:
            path.remove(record)
        return record | {name: value for name, value in mapped.items() if name in CONVERSATION}

    def _take_mapped(self, record: dict[str, Any]) -> dict[str, Any]:
        mapped = {name: path.get(record) for name, path in self._maps}
        for _, path in self._maps:
            path.remove(record)
        return mapped

    def _read(self, record: dict[str, Any], mapped: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that the record says, and what is left of it."""
        if self._format is None:
            raise RecordError("the format of the file was not recognised; name it with --format, or fields with --map")
        texts = {name: value for name, value in mapped.items() if name in CONVERSATION and value is not None}
        if self._prompt_optional or "prompt" in mapped:
            texts.setdefault("prompt", "")
        view = record | texts if texts else record
        found = self._format.read(view)
        overridden = texts.keys() & view.keys()
        found.update({name: view.pop(name) for name in overridden})
        rest = view if not texts else _unread(record, view, found, overridden, texts)
        found.update({name: value for name, value in mapped.items() if name in _NAMED and value is not None})
        return found, rest

    def _take_named(self, rest: dict[str, Any], found: dict[str, Any]) -> None:
        """Take the fields that the record itself names as we do, where their values fit."""
        if "system" in rest and "system" not in found and isinstance(rest["system"], str):
            found["system"] = rest.pop("system")
        for name in sorted(rest.keys() & _NAMED):
            value = rest[name]
            if value is None or name in found or (name != "parents" and scalar_text(value) is None):
                continue
            try:
                read_field(name, value)
            except RecordError:
                continue
            found[name] = rest.pop(name)

    def _fill_in(self, fields: dict[str, Any]) -> None:
        """Add the defaults of what the record does not say; a person has no model."""
        human = fields.get("provenance") is Provenance.HUMAN
        for name, value in self._defaults.items():
            if fields.get(name) is None and not (human and name in _OF_MODELS):
                fields[name] = value
        if fields.get("provenance") is None:
            raise ProvenanceMissing(
                "the record does not say who wrote its response; give --provenance for such records, "
                "or say where it stands with --map provenance=PATH"
            )

    def _metadata(self, rest: dict[str, Any], mapped: dict[str, Any]) -> dict[str, Any]:
        if self._only_mapped:
            rest = {}
        inner = rest.get("metadata")
        if isinstance(inner, dict) and rest.keys().isdisjoint(inner):
            del rest["metadata"]
            rest.update(inner)
        for name, value in mapped.items():
            if name.startswith(METADATA) and value is not None:
                rest[name.removeprefix(METADATA)] = value
        return rest


def _unread(
    record: dict[str, Any], view: dict[str, Any], found: dict[str, Any], overridden: set[str], texts: dict[str, Any]
) -> dict[str, Any]:
    """What is left of a record whose texts are mapped: also what a mapped text stands in for."""
    used = {id(value) for value in found.values()} if overridden else set()
    rest = {}
    for name, value in record.items():
        if name in view or name in texts or (overridden and id(value) not in used):
            rest[name] = value
    return rest


def _conversation(found: dict[str, Any]) -> tuple[list[Message], list[dict[str, Any]]]:
    """The messages that the found texts make, and what else their turns hold."""
    messages: list[Message] = []
    extras: list[dict[str, Any]] = []
    prompt = found.get("prompt")
    if "messages" in found:
        messages, extras = read_turns(found["messages"])
    elif is_turns(prompt):
        messages, extras = read_turns(prompt, "prompt")
    elif prompt is not None and (text := read_text(prompt, "prompt")):
        messages.append(Message(role="user", content=text))
    system = found.get("system")
    if system and not (messages and messages[0].role in ("system", "developer")):
        messages.insert(0, Message(role="system", content=read_text(system, "system")))
    if "response" in found:
        messages.extend(_response(found["response"]))
    return messages, extras


def _response(value: Any) -> Iterable[Message]:
    if is_turns(value):
        return read_turns(value, "response")[0]
    return (Message(role="assistant", content=read_text(value, "response")),)


def _sample(messages: list[Message], fields: dict[str, Any], metadata: dict[str, Any]) -> tuple[Sample, str | None]:
    external_id: str | None = fields.pop("external_id", None)
    sampling = {name: value for name in SAMPLING if (value := fields.pop(name, None)) is not None}
    given = {name: value for name, value in fields.items() if value is not None}
    if sampling:
        given["sampling_json"] = dumps(sampling)
    if metadata:
        given["metadata_json"] = dumps(metadata)
    try:
        return Sample(messages=tuple(messages), **given), external_id
    except ValidationError as error:
        first = error.errors()[0]
        raise RecordError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
