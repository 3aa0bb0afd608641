"""A verifier in a package of its own: responses that begin with an apology."""

from __future__ import annotations

from holdfast.verifiers import PASS, Context, Sample, Verdict, verifier


@verifier(layer="format", version="2")
def no_apology(sample: Sample, ctx: Context, *, words: tuple[str, ...] = ("Sorry", "I apologise")) -> Verdict:
    """Flag responses that begin with an apology."""
    for word in words:
        if sample.response.startswith(word):
            return Verdict.flag("apology", f"begins with {word!r}", span=(0, len(word)))
    return PASS
