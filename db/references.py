"""Many references at a time: what `samples.resolve` finds for each of them, with a query for hundreds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator

import orjson

from holdfast.db.errors import NotFound
from holdfast.db.models import Status
from holdfast.db.samples import VISIBLE, resolve
from holdfast.db.store import Store

_UID = re.compile(r"[0-9a-f]{64}")

_BY_UID = f"""SELECT j.value AS ref, s.id, 'live' AS status FROM json_each(?) j JOIN samples s ON s.uid = j.value
    WHERE {VISIBLE}"""
_BY_EXTERNAL_ID = f"""SELECT json_extract(j.value, '$[2]') AS ref, s.sample_id AS id, st.status
    FROM json_each(?) j JOIN batches b ON b.name = json_extract(j.value, '$[0]')
    JOIN occurrences s ON s.batch_id = b.id AND s.external_id = json_extract(j.value, '$[1]')
    LEFT JOIN states st ON st.sample_id = s.sample_id WHERE {VISIBLE}"""


def resolve_many(store: Store, refs: Iterable[str]) -> dict[str, int | NotFound]:
    """The row id that each reference names, or why it names none."""
    wanted = dict.fromkeys(refs)
    connection = store.read()
    found: dict[str, int | NotFound] = {}
    for ref, sample_id, status in _whole(connection, wanted):
        # What is superseded is looked up again: batch/external_id names its live revision.
        if status != Status.SUPERSEDED:
            found[ref] = sample_id
    for ref in wanted:
        if ref not in found:
            try:
                found[ref] = resolve(store, ref)
            except NotFound as error:
                found[ref] = error
    return found


def _whole(connection: sqlite3.Connection, refs: Iterable[str]) -> Iterator[tuple[str, int, str | None]]:
    """References that are a whole uid or batch/external_id, with the sample's row id and status."""
    uids, pairs = [], []
    for ref in refs:
        if _UID.fullmatch(ref):
            uids.append(ref)
        elif "/" in ref and "\0" not in ref:
            batch, _, external_id = ref.partition("/")
            pairs.append((batch, external_id, ref))
    for query, names in ((_BY_UID, uids), (_BY_EXTERNAL_ID, pairs)):
        yield from (tuple(row) for row in connection.execute(query, (orjson.dumps(names).decode(),)))
