"""Checks on samples, and what a package needs to add one of its own."""

from __future__ import annotations

from holdfast.db.models import PASS, Finding, Layer, Message, Outcome, Provenance, Sample, Severity, Verdict, Vote
from holdfast.verifiers.base import Context, Threshold, Verifier, above, below, verifier
from holdfast.verifiers.project_file import ProjectFile

__all__ = [
    "PASS",
    "Context",
    "Finding",
    "Layer",
    "Message",
    "Outcome",
    "ProjectFile",
    "Provenance",
    "Sample",
    "Severity",
    "Threshold",
    "Verdict",
    "Verifier",
    "Vote",
    "above",
    "below",
    "verifier",
]
