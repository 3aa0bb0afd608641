"""How people decided on what verifiers found."""

from __future__ import annotations

from collections import Counter

from holdfast.db.models import Choice
from holdfast.db.store import Store
from holdfast.db.verdicts import specs_of


def decided_findings(store: Store) -> Counter[tuple[str, Choice]]:
    """By verifier and decision: how many samples the verifier had flagged or failed and a person then decided on.

    The decision that counts is the adjudication, else the first one; those that were undone do not,
    and a check that broke has flagged nothing.
    """
    rows = store.read().execute(
        """SELECT k.spec, f.verifier, d.verdict, count(DISTINCT d.sample_id)
        FROM decisions d JOIN states st ON st.sample_id = d.sample_id
        JOIN verdicts v ON v.id = st.verdict_id JOIN runs r ON r.id = v.run_id JOIN stacks k ON k.id = r.stack_id
        JOIN findings f ON f.verdict_id = v.id AND f.severity <> 'info'
            AND json_extract(v.outcomes, '$[' || f.verifier || ']') <> 'e'
        WHERE d.undone_seq IS NULL AND d.verdict <> 'skip' AND st.status <> 'gold'
        AND (d.kind = 'adjudication' OR (d.kind = 'first'
            AND NOT EXISTS (SELECT 1 FROM decisions a WHERE a.sample_id = d.sample_id AND a.kind = 'adjudication'
                            AND a.undone_seq IS NULL)))
        GROUP BY k.id, f.verifier, d.verdict"""
    )
    counts: Counter[tuple[str, Choice]] = Counter()
    for spec, position, choice, samples in rows:
        counts[specs_of(spec)[position].name, Choice(choice)] += samples
    return counts
