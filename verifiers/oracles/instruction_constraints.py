"""Does a response keep to the rules that its prompt sets: lengths, formats, keywords, cases, languages, endings?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.db.models import Finding, Outcome, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.oracles.constraints import layout, lengths, wording
from holdfast.verifiers.oracles.constraints.rule import Arguments, BadArgumentError, Broken, Rule
from holdfast.verifiers.oracles.given import given, parsed

SHOWN = 20
"""Most places of one broken rule that are pointed at."""

RULES: dict[str, Rule] = {**lengths.RULES, **layout.RULES, **wording.RULES}
"""The rules by the ids of the IFEval data."""

_ID_LISTS = ("instruction_ids", "instruction_id_list")
_NOT_A_RULE = "unreadable-rule"


@verifier(layer="oracle", version="1")
def instruction_constraints(sample: Sample, ctx: Context, *, within: str = "") -> Verdict:
    """Flag each rule of `metadata.instructions` that the response breaks: the 25 checkable kinds of IFEval.

    The rules are `instructions`, a list of `{"id", "kwargs"}`, or `instruction_ids` beside `kwargs`; `within` names the
    part of the metadata that holds them (a dotted path). A broken rule gives one finding (`warn`), whose code
    is the rule's id; further places that break it are `info`.

    Options:
        within: dotted place in the metadata under which the instructions stand; empty for the top
    """
    if not sample.metadata_json or "instruction" not in sample.metadata_json:
        return Verdict.abstain()
    try:
        asked = list(_asked(sample, within))
    except ValueError as error:
        return Verdict.error(f"the rules cannot be read: {error}")
    findings: list[Finding] = []
    checked = unreadable = 0
    for rule_id, arguments in asked:
        rule = RULES.get(rule_id)
        if rule is None:
            findings.append(Finding("unknown-rule", Severity.INFO, f"no check knows the rule {rule_id!r}"))
            continue
        try:
            findings += _findings(rule_id, rule, sample.response, arguments)
            checked += 1
        except BadArgumentError as error:
            findings.append(Finding(_NOT_A_RULE, Severity.WARN, f"rule {rule_id!r} cannot be checked: {error}"))
            unreadable += 1
    if checked:
        return Verdict.found(findings)
    return Verdict(Outcome.ERROR if unreadable else Outcome.ABSTAIN, None, tuple(findings))


def _findings(rule_id: str, rule: Rule, text: str, arguments: Arguments) -> Iterator[Finding]:
    """What is to be said of one rule: nothing where it is kept."""
    blank = not text.strip()
    broken = Broken("the response is empty") if blank else rule(text, arguments)
    if broken is None:
        return
    code = rule_id.replace(":", "-").replace("_", "-")
    yield Finding(code, Severity.WARN, broken.message, broken.spans[0] if broken.spans else None)
    for span in broken.spans[1:SHOWN]:
        yield Finding(code, Severity.INFO, "here too", span)


def _asked(sample: Sample, within: str) -> Iterator[tuple[str, Arguments]]:
    """The rules with their arguments; ValueError where they are not in one of the two forms."""
    instructions: Any = parsed(given(sample, "instructions", within))
    if _is_rule_list(instructions):
        for one in instructions:
            if not isinstance(one, Mapping):
                raise ValueError(f"a rule should be an object with id and kwargs, not {one!r}")
            yield _rule_id(one.get("id")), _arguments(one.get("kwargs"))
        return
    fields = (parsed(given(sample, name, within)) for name in _ID_LISTS)
    ids = next((ids for ids in fields if ids is not None), None)
    if ids is None:
        return
    kwargs = parsed(given(sample, "kwargs", within))
    if not isinstance(ids, list) or not (kwargs is None or (isinstance(kwargs, list) and len(ids) == len(kwargs))):
        raise ValueError("instruction_ids and kwargs should be two lists of one length")
    for rule_id, arguments in zip(ids, kwargs or [None] * len(ids), strict=True):
        yield _rule_id(rule_id), _arguments(arguments)


def _is_rule_list(instructions: Any) -> bool:
    """Whether the field holds rules; other data have texts in a field of this name."""
    return isinstance(instructions, list) and any(isinstance(one, Mapping) and "id" in one for one in instructions)


def _rule_id(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a rule's id should be a text, not {value!r}")
    return value


def _arguments(written: Any) -> Arguments:
    arguments = parsed(written)
    if arguments is not None and not isinstance(arguments, Mapping):
        raise ValueError(f"a rule's kwargs should be an object, not {written!r}")
    return Arguments(arguments or {})
