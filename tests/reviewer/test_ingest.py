"""An ingest as a whole: whatever stands in a file is stored to the letter or set aside with its reason."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.errors import HoldfastError, Refused, UsageError
from holdfast.db.ingests import Quarantined, quarantine
from holdfast.db.samples import Stored, each
from holdfast.db.search import search
from holdfast.db.store import Store
from holdfast.reviewer.exchange.options import ReadOptions, parse_maps
from holdfast.reviewer.exchange.source import find_sources
from holdfast.reviewer.pipeline import reading
from holdfast.reviewer.pipeline.ingest import IngestReport, Progress, Unacceptable, ingest, prepare

DATA = Path(__file__).parents[3] / "shared" / "data"
SYNTHETIC = ReadOptions(defaults=(("provenance", "synthetic"), ("model", "m")))


def run(store: Store, *files: Path | str, options: ReadOptions = SYNTHETIC, **more: Any) -> IngestReport:
    return ingest(store, list(map(str, files)), **{"batch": "b", "actor": "lead-1", "options": options, **more})


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return (report.read, report.new, report.known, report.quarantined)


def stored(store: Store) -> list[Stored]:
    return list(each(store))


def set_aside(store: Store) -> list[Quarantined]:
    return list(quarantine(store))


def lines(count: int, **more: Any) -> bytes:
    pairs = ({"prompt": f"P{n}", "response": f"R{n}", **more} for n in range(count))
    return b"".join(json.dumps(pair).encode() + b"\n" for pair in pairs)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files come in several portions, as large ones do."""
    monkeypatch.setattr(reading, "PORTION_RECORDS", 500)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is read in another process."""
    monkeypatch.setattr(reading, "_PROCESS_BYTES", -1)


BAD_LINES = {
    b'{"prompt": "P", "response"': "malformed JSON",
    b"[1, 2]": "not an object",
    b'{"prompt": "P", "response": "\xff"}': "invalid UTF-8",
    b'{"prompt": "P", "response": "\x00"}': "NUL byte",
    b'{"prompt": "P", "response": "\\udc00"}': "lone surrogate",
    b'{"prompt": "P", "response": NaN}': "NaN",
    b'{"prompt": "P", "response": 5}': "response is a number",
    b'{"prompt": "P"}': "no response",
    b'{"prompt": "P", "response": "R", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}": "nested too deeply",
}


def test_bad_records_are_set_aside_with_place_reason_and_text(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(1) + b"\n".join(BAD_LINES) + b"\r\n\r\n" + lines(2))
    report = run(store, path)
    assert counts(report) == (3 + len(BAD_LINES), 2, 1, len(BAD_LINES))
    found = set_aside(store)
    assert [(row.file, row.line, row.raw.rstrip(b"\r")) for row in found] == [
        (str(path), number, text) for number, text in enumerate(BAD_LINES, 2)
    ]
    for row, reason in zip(found, BAD_LINES.values(), strict=True):
        assert reason in row.reason


def test_the_same_file_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(700))
    assert counts(run(store, path)) == (700, 700, 0, 0)
    assert counts(run(store, path)) == (700, 0, 700, 0)
    assert len(stored(store)) == 700
    assert counts(run(store, path, batch="c")) == (700, 700, 0, 0)
    assert len(stored(store)) == 700


def test_an_external_id_with_other_content_is_set_aside(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(2, external_id="same"))
    assert counts(run(store, path)) == (2, 1, 0, 1)
    (row,) = set_aside(store)
    assert (row.file, row.line) == (str(path), 2)
    assert "external id 'same'" in row.reason


def test_samples_can_be_found_by_their_words(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(3))
    run(store, tmp_path / "a.jsonl")
    assert len(search(store, "R2")) == 1


@pytest.mark.usefixtures("apart")
def test_large_files_are_read_in_another_process(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(1800) + b"oops\n")
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps([{"question": "Q", "answer": "A"}]).encode()))
    seen: list[Progress] = []
    report = run(store, tmp_path / "a.jsonl", tmp_path / "b.json.gz", progress=seen.append)
    assert counts(report) == (1802, 1801, 0, 1)
    reads = [progress for progress in seen if progress.phase == "reading"]
    assert [progress.records for progress in reads] == [500, 1000, 1500, 1802]
    assert reads[-1].done == reads[-1].total == sum(path.stat().st_size for path in tmp_path.glob("?.json*"))


@pytest.mark.usefixtures("apart")
def test_when_the_reading_process_is_killed_the_same_call_goes_on(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(5000))

    def kill(progress: Progress) -> None:
        for process in multiprocessing.active_children():
            process.kill()

    with pytest.raises(HoldfastError, match="run the same command again"):
        run(store, path, progress=kill)
    assert stored(store) == []
    seen: list[Progress] = []
    assert counts(run(store, path, progress=seen.append)) == (5000, 5000, 0, 0)
    assert seen[0].records > 500


@pytest.mark.usefixtures("apart")
def test_an_error_in_the_reading_process_is_raised_here(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"prompt,response\n" + b"a,b\n" * 10)
    job = prepare(find_sources([str(path)]), "b", SYNTHETIC, None)[0]
    path.write_bytes(b"prompt,prompt\n")
    with pytest.raises(UsageError, match="names the column 'prompt' twice"):
        list(reading.read_portions(job))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.csv"):
        list(reading.read_portions(job))


def interrupt(after: int) -> Any:
    def progress(progress: Progress) -> None:
        if progress.records >= after:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_interrupted_ingest_goes_on_where_it_stopped(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    if elsewhere:
        monkeypatch.setattr(reading, "_PROCESS_BYTES", -1)
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(600) + b"oops\n" + lines(1400))
    with pytest.raises(KeyboardInterrupt):
        run(store, path, progress=interrupt(1000))
    assert stored(store) == []
    assert set_aside(store) == []
    seen: list[Progress] = []
    report = run(store, path, progress=seen.append)
    assert seen[0].records == 1500
    assert counts(report) == (2001, 1400, 600, 1)
    assert len(stored(store)) == 1400


def test_an_interrupted_ingest_of_another_file_is_dropped(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(1200))
    with pytest.raises(KeyboardInterrupt):
        run(store, path, progress=interrupt(500))
    path.write_bytes(lines(3))
    assert counts(run(store, path)) == (3, 3, 0, 0)
    assert len(stored(store)) == 3


def test_two_ingests_at_once_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(3))

    def meanwhile(progress: Progress) -> None:
        if progress.phase == "reading":
            with pytest.raises(Refused, match="another ingest is running"):
                run(store, tmp_path / "a.jsonl", batch="c")

    assert run(store, tmp_path / "a.jsonl", progress=meanwhile).new == 3


def test_a_strict_ingest_takes_all_or_nothing(store: Store, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_bytes(lines(900))
    bad.write_bytes(lines(600) + b"oops\n" * 30)
    with pytest.raises(Unacceptable) as refusal:
        run(store, bad, good, strict=True)
    first, *places, more = str(refusal.value).split("\n")
    assert first == "30 records cannot be read, so nothing was ingested (--strict)"
    assert places[0].startswith(f"  {bad}:601: malformed JSON")
    assert len(places) == 20
    assert more == "  and 10 more"
    assert stored(store) == []
    assert set_aside(store) == []
    assert counts(run(store, good, strict=True)) == (900, 900, 0, 0)
    with pytest.raises(Unacceptable, match="external id '1'"):
        run(store, _clashing(tmp_path), strict=True)
    assert len(stored(store)) == 900


def test_a_strict_ingest_that_was_interrupted_still_sees_every_record(store: Store, tmp_path: Path) -> None:
    path = _clashing(tmp_path)
    path.write_bytes(path.read_bytes() + b"\n" + lines(1200))
    for _ in range(2):
        with pytest.raises((KeyboardInterrupt, Unacceptable)):
            run(store, path, strict=True, progress=interrupt(500))
    with pytest.raises(Unacceptable, match="external id '1'"):
        run(store, path, strict=True)
    assert stored(store) == []


def _clashing(tmp_path: Path) -> Path:
    path = tmp_path / "clash.jsonl"
    path.write_bytes(
        b'{"prompt": "a", "response": "b", "external_id": 1}\n{"prompt": "c", "response": "d", "external_id": 1}'
    )
    return path


def test_standard_input_is_read_once_its_format_is_known(store: Store) -> None:
    report = run(store, "-", stdin=io.BytesIO(lines(700) + b"oops\n"))
    assert counts(report) == (701, 700, 0, 1)
    assert (set_aside(store)[0].file, set_aside(store)[0].line) == ("-", 701)
    with pytest.raises(UsageError, match="read only once"):
        run(store, "-", "-", stdin=io.BytesIO(b""))


def test_a_folder_of_parquet_files_is_ingested_but_for_what_is_no_text(store: Store, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = arrow.table({"question": ["Q1", "Q2"], "answer": ["A1", None], "image": [b"\xff", None]})
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "README.md").write_text("# A set")
    parquet.write_table(table, tmp_path / "set" / "data" / "train-0.parquet")
    assert counts(run(store, tmp_path / "set")) == (2, 0, 0, 2)
    binary, missing = set_aside(store)
    assert (binary.line, missing.line) == (1, 2)
    assert "binary data" in binary.reason
    assert "no response" in missing.reason
    assert json.loads(missing.raw) == {"question": "Q2", "answer": None, "image": None}
    options = ReadOptions(drops=("image",), defaults=SYNTHETIC.defaults)
    assert counts(run(store, tmp_path / "set", options=options)) == (2, 1, 0, 1)


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", b""), ("a.json", b"[]"), ("a.csv", b"prompt,response\n")])
def test_an_empty_file_is_a_row_of_the_quarantine(store: Store, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "b.jsonl").write_bytes(lines(2))
    assert counts(run(store, tmp_path / name, tmp_path / "b.jsonl")) == (3, 2, 0, 1)


@pytest.mark.parametrize(("files", "batch", "reason"), [
    (["none.jsonl"], "b", "there is no such file"),
    (["a.jsonl"], "no spaces", "a name has 1 to 64"),
    (["a.jsonl", "odd.jsonl"], "b", "cannot tell the format"),
])  # fmt: skip
def test_wrong_usage_writes_nothing(store: Store, tmp_path: Path, files: list[str], batch: str, reason: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(2))
    (tmp_path / "odd.jsonl").write_bytes(b'{"x": 1}\n')
    with pytest.raises(UsageError, match=reason):
        run(store, *(tmp_path / name for name in files), batch=batch)
    assert stored(store) == []
    assert store.read().execute("SELECT count(*) FROM batches").fetchone()[0] == 0


def test_a_long_line_is_read_and_a_longer_one_set_aside(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    long, too_long = "x" * 50_000_000, "y" * (65 << 20)
    with path.open("w") as file:
        for response in ("short", long, too_long, "last"):
            file.write(json.dumps({"prompt": "P", "response": response}) + "\n")
    assert counts(run(store, path)) == (4, 3, 0, 1)
    assert [len(sample.sample.response) for sample in stored(store)] == [5, len(long), 4]
    (row,) = set_aside(store)
    assert row.line == 3
    assert row.raw_bytes > 65 << 20
    assert len(row.raw) == 1 << 20


TEXT = st.text(max_size=60)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5), st.booleans())
def test_any_text_is_stored_to_the_letter(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str]], escaped: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    records = [
        {"prompt": prompt, "response": response, "note": note, "external_id": str(number)}
        for number, (prompt, response, note) in enumerate(texts)
    ]
    written = "".join(json.dumps(record, ensure_ascii=escaped) + "\n" for record in records)
    (folder / "a.jsonl").write_bytes(written.encode())
    with Store.create(folder / "holdfast.db") as store:
        assert run(store, folder / "a.jsonl").new == len(texts)
        rows = {row.external_id: row.sample for row in stored(store)}
        for number, (prompt, response, note) in enumerate(texts):
            found = rows.get(str(number))
            if found is not None:  # the first of several rows that hold the same sample stands for them
                assert (found.prompt, found.response, found.metadata) == (prompt, response, {"note": note})
        assert {(prompt, response) for prompt, response, _ in texts} == {
            (sample.prompt, sample.response) for sample in rows.values()
        }


@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
def test_real_answers_are_ingested_with_their_mapping(store: Store) -> None:
    maps = ("prompt=prompt", "response=response", "reference=reference", "model=source.model", "group=extra.group")
    options = ReadOptions(
        maps=parse_maps((*maps, "external_id=id", "provenance=source.kind")), drops=("labels",), defaults=()
    )
    path = DATA / "gsm8k_solutions.jsonl.gz"
    report = run(store, path, options=options)
    assert counts(report) == (3876, 3876, 0, 0)
    assert report.notes == ()
    rows = {row.external_id: row.sample for row in stored(store)}
    with gzip.open(path) as file:
        for record in map(json.loads, file):
            sample = rows.get(record["id"])
            if sample is not None:
                assert (sample.prompt, sample.response) == (record["prompt"], record["response"])
                assert (sample.reference, sample.group) == (record["reference"], record["extra"]["group"])
                assert (sample.model, sample.provenance) == (record["source"]["model"], record["source"]["kind"])
                assert "labels" not in sample.metadata
    assert len(rows) > 3800
    assert counts(run(store, path, options=options)) == (3876, 0, 3876, 0)
