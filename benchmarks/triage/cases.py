"""The sets with a truth: what is ingested of each, which samples are under review, and which of them are bad."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).parents[3] / "shared" / "data"
BAD_SHARE = 0.1
"""What a thinned batch has of bad samples."""

SYSTEMS = ("gpt3-175b_verification", "codex-pot-fewshot")
"""The systems of gsm8k whose batches are reviewed: one that writes and one that programs."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A project to be: records without their truth, judges' votes, settings, and the truth for whoever measures.

    `bad` and `group` are by external id and cover the batch under review alone; other records are comparators.
    """

    name: str
    records: tuple[Record, ...]
    bad: Mapping[str, bool]
    group: Mapping[str, str]
    votes: tuple[Record, ...] = ()
    settings: str = ""


@dataclass(frozen=True)
class Spec:
    """A set: its name, whether seeds make different batches of it, and how a batch is made of a seed."""

    name: str
    seeded: bool
    make: Callable[[int], Case]


def specs() -> list[Spec]:
    """All sets, in the order in which they are printed."""
    return [
        *(
            Spec(f"gsm8k {system}, {count} comparator{'s' * (count > 1)}", True, _gsm8k(system, count))
            for count in (5, 1)
            for system in SYSTEMS
        ),
        Spec("mmlu_redux", False, _mmlu_redux),
        Spec("mlqe_pe", False, _mlqe_pe),
        Spec("code_reflexion", False, _code_reflexion),
        Spec("faithdial_audit", False, _faithdial_audit),
        Spec("bigbench_mistake", False, _bigbench_mistake),
        Spec("expertqa", False, _expertqa),
    ]


def rows(name: str) -> Iterator[Record]:
    """The records of a shared data set."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rb") as lines:
        yield from map(orjson.loads, lines)


def thinned(truth: Mapping[str, bool], seed: int) -> set[str]:
    """The ids that are kept where a tenth is to be bad: all good ones, and as many of the bad, drawn by hash."""
    good = [one for one, bad in truth.items() if not bad]
    wanted = round(len(good) * BAD_SHARE / (1 - BAD_SHARE))
    drawn = sorted((one for one, bad in truth.items() if bad), key=lambda one: _hash(seed, one))
    return {*good, *drawn[:wanted]}


def _hash(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()


def _record(row: Record, **fields: Any) -> Record:
    """What is ingested of a record: never its labels, and nothing of `extra` that is not named here."""
    source = row["source"]
    return {
        "id": row["id"], "prompt": row["prompt"], "response": row["response"], "provenance": source["kind"],
        "model": source["model"], "task": row["dataset"], "group": row["extra"]["group"], **fields,
    }  # fmt: skip


def _case(name: str, found: Sequence[Record], bad: Callable[[Record], bool], **others: Any) -> Case:
    """A case in which every record is under review; `found` has rows with the ingested record under `record`."""
    return Case(
        name,
        tuple(row["record"] for row in found),
        {row["id"]: bad(row) for row in found},
        {row["id"]: row["extra"]["group"] for row in found},
        **others,
    )


def _gsm8k(system: str, count: int) -> Callable[[int], Case]:
    """A batch of one system thinned to a tenth of bad answers, and other systems' answers to its problems.

    The reference is left out: it is the truth. One comparator is the other of the two systems that are reviewed.
    """

    def make(seed: int) -> Case:
        every = list(rows("gsm8k_solutions"))
        truth = {row["id"]: not row["labels"]["correct"] for row in every if row["source"]["model"] == system}
        kept = thinned(truth, seed)
        groups = {row["id"]: row["extra"]["group"] for row in every if row["id"] in kept}
        others = {row["source"]["model"] for row in every} if count > 1 else set(SYSTEMS)
        asked = set(groups.values())
        records = [
            _record(row)
            for row in every
            if row["id"] in kept or (row["source"]["model"] in others - {system} and row["extra"]["group"] in asked)
        ]
        settings = "[verifiers.answer_agreement]\nexecute = true\n"
        return Case(
            f"gsm8k {system} {count}", tuple(records), {one: truth[one] for one in groups}, groups, settings=settings
        )

    return make


def _mmlu_redux(seed: int) -> Case:
    """Published keys as labels, the answers of 14 models as votes; bad where the expert found an error."""
    del seed
    found, votes = [], []
    for row in rows("mmlu_redux"):
        extra = row["extra"]
        metadata = {"choices": extra["choices"]}
        row["record"] = _record(row, label=extra["key"], domain=extra["subject"], metadata=metadata)
        found.append(row)
        votes += [
            {"ref": f"review/{row['id']}", "judge": judge, "label": label}
            for judge, label in extra["model_answers"].items()
            if label
        ]
    return _case("mmlu_redux", found, lambda row: bool(row["labels"]["error"]), votes=tuple(votes))


def _mlqe_pe(seed: int) -> Case:
    """Translations into and from seven languages, the pair as domain; bad where a professional's edit was needed."""
    del seed
    found = list(rows("mlqe_pe"))
    for row in found:
        metadata = {"model_score": row["extra"]["model_score"]}
        row["record"] = _record(row, domain=row["extra"]["lang"], metadata=metadata)
    return _case("mlqe_pe", found, lambda row: bool(row["labels"]["needs_edit"]))


def _code_reflexion(seed: int) -> Case:
    """Four systems' functions for the same docstrings; bad where the hidden tests, which are left out, fail."""
    del seed
    found = list(rows("code_reflexion"))
    for row in found:
        row["record"] = _record(row)
    return _case("code_reflexion", found, lambda row: not row["labels"]["passed"])


def _faithdial_audit(seed: int) -> Case:
    """Replies of four systems to a piece of knowledge; bad where annotators found what it does not support."""
    del seed
    found = list(rows("faithdial_audit"))
    for row in found:
        metadata = {"knowledge": row["extra"]["knowledge"]}
        row["record"] = _record(row, domain=row["extra"]["corpus"], metadata=metadata)
    settings = '[verifiers.unsupported_by_source]\nsource = "knowledge"\n'
    return _case("faithdial_audit", found, lambda row: bool(row["labels"]["hallucination"]), settings=settings)


def _bigbench_mistake(seed: int) -> Case:
    """One model's reasoning on five tasks; bad where a step is mistaken."""
    del seed
    found = list(rows("bigbench_mistake"))
    for row in found:
        row["record"] = _record(row, domain=row["extra"]["task"])
    return _case("bigbench_mistake", found, lambda row: bool(row["labels"]["has_mistake"]))


def _expertqa(seed: int) -> Case:
    """Long answers of six systems to experts' questions; bad where the expert found an incorrect claim."""
    del seed
    found = list(rows("expertqa"))
    for row in found:
        row["record"] = _record(row, domain=row["extra"]["field"])
    return _case("expertqa", found, lambda row: bool(row["labels"]["has_incorrect_claim"]))
