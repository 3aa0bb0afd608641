"""What `holdfast.verifiers` offers to other packages."""

from __future__ import annotations

import holdfast.verifiers
from holdfast.verifiers import registry


def test_all_is_complete_and_sorted() -> None:
    names = holdfast.verifiers.__all__
    assert list(names) == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert {"PASS", "Context", "Sample", "Verdict", "verifier", "Threshold", "above", "below", "Layer"} <= set(names)
    assert all(hasattr(holdfast.verifiers, name) for name in names)


def test_every_built_in_loads_and_says_what_it_does() -> None:
    built_in = [name for name in registry.names() if registry.is_built_in(name)]
    assert {
        "empty_or_placeholder",
        "encoding_damage",
        "near_duplicate",
        "length_outlier",
        "repetition",
        "required_fields",
    } <= set(built_in)
    for name in built_in:
        verifier = registry.load(name)
        assert verifier.summary.endswith(".")
        assert verifier.settings({}).options_json == dict(verifier.settings({}).options_json)
        assert registry.package_of(name).startswith("holdfast ")
