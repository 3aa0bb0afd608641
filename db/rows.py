"""A sample as the row it is stored in: identities, row hash and token count; pure, so it can run in any process."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import orjson

from holdfast.db.models import Sample, Source

_CJK = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+")
_NOT_ALPHANUMERIC = bytes(byte if chr(byte).isascii() and chr(byte).isalnum() else 32 for byte in range(256))

RAW_LIMIT = 1 << 20
"""How many bytes of an unreadable row the quarantine keeps."""


class Row(NamedTuple):
    """One row ready to be stored: the sample's columns, then those of this occurrence of it."""

    uid: str
    content_id: str
    source_key: str
    tokens: int
    provenance: str
    model: str | None
    generation: int | None
    parents: str | None
    messages: str
    external_id: str
    row_hash: bytes
    family: str | None
    domain: str | None
    task: str | None
    licence: str | None
    group_key: str | None
    label: str | None
    sampling: str | None
    reference: str | None
    metadata: str | None
    file: str
    line: int | None


class Unreadable(NamedTuple):
    """A record that could not be read; `raw` holds at most RAW_LIMIT of its `raw_bytes` bytes."""

    file: str
    line: int | None
    reason: str
    raw: bytes
    raw_bytes: int


def prepare(sample: Sample, *, batch: str, external_id: str | None, file: str = "", line: int | None = None) -> Row:
    """Make the row of a sample; without an external id, the start of the content's hash serves as one."""
    fields = (
        sample.family, sample.domain, sample.task, sample.licence, sample.group,
        sample.label, sample.sampling_json, sample.reference, sample.metadata_json,
    )  # fmt: skip
    uid = sample.uid
    if external_id is None:
        external_id = hashlib.sha256(orjson.dumps((uid, *fields))).hexdigest()[:16]
    return Row(
        uid, sample.content_id, source_key(source_of(sample)), count_tokens(sample), sample.provenance.value,
        sample.model, sample.generation, orjson.dumps(sample.parents).decode() if sample.parents else None,
        sample.messages_json, external_id, row_hash(batch, external_id, uid, *fields), *fields, file, line,
    )  # fmt: skip


def row_hash(batch: str, external_id: str, uid: str, *fields: str | None) -> bytes:
    """SHA-256 over the RFC 8785 JSON array of a row's text fields, in the order of `prepare`."""
    return hashlib.sha256(orjson.dumps((batch, external_id, uid, *fields))).digest()


def source_of(sample: Sample) -> Source:
    """The source that a sample counts for."""
    return Source(sample.provenance, sample.model, sample.family, sample.generation, sample.domain)


def source_key(source: Source) -> str:
    """A source as JSON text, unique and sortable."""
    return orjson.dumps(
        (source.provenance.value, source.model, source.family, source.generation, source.domain)
    ).decode()


def count_tokens(sample: Sample) -> int:
    """Words of all turns: runs of letters or digits, each CJK character one."""
    return sum(count_words(message.content) for message in sample.messages)


def count_words(text: str) -> int:
    """Runs of letters or digits, each CJK character one."""
    if text.isascii():
        return len(text.encode().translate(_NOT_ALPHANUMERIC).split())
    return len(_WORD.findall(text))
