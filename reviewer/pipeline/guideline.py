"""What reviewers go by: the guideline, the reasons for a reject, and the version that decisions store."""

from __future__ import annotations

import hashlib

from holdfast.db.models import REASONS, canonical_json
from holdfast.reviewer.pipeline.desk import Guideline, Reason
from holdfast.reviewer.project import Project

_WORDS = {
    "factual": "factually wrong",
    "off-prompt": "off-prompt",
    "unsafe": "unsafe",
    "format": "format or schema",
    "duplicate": "duplicate",
    "low-diversity": "low diversity, template",
    "incoherent": "incoherent",
    "leaked": "leaked, personal data, contamination",
    "other": "other (note)",
}


def reasons(project: Project) -> tuple[Reason, ...]:
    """The reject reasons in the order of their keys, in the project's words."""
    words = {**_WORDS, **project.config.reasons}
    return tuple(Reason(code, words[code]) for code in REASONS)


def guideline(project: Project) -> Guideline:
    """The current guideline (empty where the file is missing); its version changes with text and reasons."""
    path = project.root / project.config.review.guideline
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    facts = [text, [[reason.code, reason.label] for reason in reasons(project)]]
    return Guideline(hashlib.sha256(canonical_json(facts)).hexdigest()[:12], text)
