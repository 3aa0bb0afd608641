"""Near-duplicates: one of a cluster stays, the others are flagged and say what they are like, whatever the order."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Message, Outcome, Provenance, Sample, ToolCall, Verdict
from holdfast.verifiers import Context
from holdfast.verifiers.consistency.near_duplicate import near_duplicate
from holdfast.verifiers.consistency.near_duplicate_state import unpacked
from holdfast.verifiers.consistency.shingles import ShingleSets, batches, jaccard
from holdfast.verifiers.consistency.similar_sets import join
from holdfast.verifiers.consistency.token_sets import Rows, minhash_buckets

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

SHARED = Path(__file__).parents[4] / "shared"
TEXT = "the tide rises twice each day because our moon pulls on water and land with unequal force over distance"
WORDS = TEXT.split()


def shingles(text: str) -> frozenset[object]:
    """Word 3-grams as the definition has them; of shorter texts the text itself."""
    folded = unicodedata.normalize("NFC", text).casefold()
    words = re.findall(r"\w+", folded)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([" ".join(folded.split())])


def grouped(pairs: Sequence[tuple[int, int]]) -> set[frozenset[int]]:
    """The clusters that pairs tie together."""
    of: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        joint = (of[one] or {one}) | (of[other] or {other})
        for member in joint:
            of[member] = joint
    return {frozenset(members) for members in of.values()}


def brute_force(texts: Sequence[str]) -> set[frozenset[int]]:
    """Clusters of two or more texts, from every pair that shares a shingle."""
    sets = [shingles(text) for text in texts]
    holders: dict[object, list[int]] = defaultdict(list)
    pairs = []
    for number, own in enumerate(sets):
        shared: dict[int, int] = defaultdict(int)
        for one in own:
            for other in holders[one]:
                shared[other] += 1
            holders[one].append(number)
        pairs += [
            (other, number)
            for other, count in shared.items()
            if 10 * count >= 7 * (len(own) + len(sets[other]) - count)
        ]
    return grouped(pairs)


def found(texts: Sequence[str]) -> set[frozenset[int]]:
    """Clusters of two or more texts, as the check finds them among texts alone."""
    sets = ShingleSets("word3")
    numbers = [number for batch in batches(iter(enumerate(texts))) for number in sets.add([text for _, text in batch])]
    sizes = np.array(sets.sizes, dtype=np.int64)
    alike = join(Rows(np.frombuffer(sets.tokens, dtype=np.uint32), np.cumsum(sizes) - sizes, sizes))
    members = defaultdict(set)
    for text, number in enumerate(numbers):
        members[int(alike.cluster[number])].add(text)
    return {frozenset(one) for one in members.values() if len(one) > 1}


def flagged(check: Check, corpus: list[Sample]) -> list[bool]:
    """Which samples of the corpus are flagged."""
    return [check(near_duplicate, one, corpus).outcome is Outcome.FLAG for one in corpus]


def edited(text: str, share: float, dice: random.Random) -> str:
    """The text with a share of its words replaced."""
    words = text.split(" ")
    for place in dice.sample(range(len(words)), max(1, round(share * len(words)))):
        words[place] = f"edit{dice.randrange(10**6)}"
    return " ".join(words)


def test_a_near_copy_names_what_it_is_like(check: Check, sample: MakeSample) -> None:
    corpus = [sample("a?", TEXT), sample("b?", f"So {TEXT}"), sample("c?", TEXT[::-1])]
    assert flagged(check, corpus).count(True) == 1
    (copy,) = [one for one, drop in zip(corpus, flagged(check, corpus), strict=True) if drop]
    (stays,) = {corpus[0].uid, corpus[1].uid} - {copy.uid}
    verdict = check(near_duplicate, copy, corpus)
    assert verdict.findings[0].code == "near-duplicate"
    assert verdict.findings[0].message == f"nearly the same as {stays[:16]} (similarity 0.94)"
    assert verdict.value == pytest.approx(17 / 18, abs=1e-4)


def test_a_person_s_text_stays_and_its_copies_are_memorised(check: Check, sample: MakeSample) -> None:
    human = sample("a?", TEXT, provenance="human", model=None, generation=None)
    corpus = [
        sample("b?", TEXT + " indeed"),
        human,
        sample("a?", TEXT.upper()),
        sample("c?", TEXT, provenance="unknown"),
    ]
    assert flagged(check, corpus) == [True, False, True, True]
    codes = [check(near_duplicate, corpus[place], corpus).findings[0].code for place in (0, 2, 3)]
    assert codes == ["memorised", "memorised", "near-duplicate"]
    message = check(near_duplicate, corpus[2], corpus).findings[0].message
    assert message == f"an exact copy of {human.uid[:16]}, which a person wrote"


def test_a_short_answer_that_a_person_gave_too_is_not_memorised(check: Check, sample: MakeSample) -> None:
    corpus = [sample(response="Paris"), sample(response="Paris", provenance="human", model=None, generation=None)]
    assert check(near_duplicate, corpus[0], corpus).findings[0].code == "exact-duplicate"


def test_twenty_short_answers_keep_one_of_each(check: Check, sample: MakeSample) -> None:
    answers = ["yes", "no", "4", "-4", "C", "C++", "C#", "red", "Red wine", "red  wine", "blue", "Yes", "ja", "nein"]
    answers += ["oui", "non", "yes", "no", "4", "blue"]
    corpus = [sample(response=answer, model=f"model-{number}") for number, answer in enumerate(answers)]
    assert flagged(check, corpus).count(False) == 14


def test_answers_of_several_models_to_one_long_question_are_not_alike(check: Check, sample: MakeSample) -> None:
    question = " ".join(WORDS * 3)
    corpus = [sample(question, f"{number} metres", model=f"model-{number}") for number in range(6)]
    assert not any(flagged(check, corpus))


@pytest.mark.parametrize(("response", "alike"), [("4", False), ("All of the above are true", False), (TEXT, True)])
def test_the_same_short_answer_to_another_question_is_no_copy(
    check: Check, sample: MakeSample, response: str, alike: bool
) -> None:
    corpus = [sample("What is 2 + 2?", response), sample("What is 3 + 1?", response)]
    assert any(flagged(check, corpus)) is alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes, it is.", "yes,  it is. "),
        ("Straße", "STRASSE"),
        ("cafe\u0301", "café"),
        ("a\n\nb", "A B"),
        ("ﬁx it", "fix it"),
    ],
)
def test_case_white_space_and_composition_do_not_count(check: Check, sample: MakeSample, one: str, other: str) -> None:
    corpus = [sample(response=one), sample(response=other)]
    assert sorted(flagged(check, corpus)) == [False, True]


def test_calls_count_as_text(check: Check, turns: Callable[..., Sample]) -> None:
    def calling(arguments: str) -> Sample:
        call = ToolCall(name="book_a_table", arguments=arguments)
        return turns(("user", "Book it."), Message(role="assistant", content="", tool_calls=(call,)))

    corpus = [calling('{"seats": 2}'), calling('{"seats": 12}'), calling('{"seats":  2}')]
    assert sorted(flagged(check, corpus)) == [False, False, True]


def test_what_was_not_compared_abstains(check: Check, sample: MakeSample) -> None:
    corpus = [sample(response=TEXT), sample(response=" ")]
    assert check(near_duplicate, corpus[0]).outcome is Outcome.ABSTAIN
    assert check(near_duplicate, corpus[1], corpus).outcome is Outcome.ABSTAIN
    assert check(near_duplicate, sample(response=f"{TEXT}!"), corpus).outcome is Outcome.ABSTAIN
    assert check(near_duplicate, corpus[0], corpus).outcome is Outcome.PASS
    assert check(near_duplicate, corpus[0], []).outcome is Outcome.ABSTAIN


def test_a_chain_is_one_cluster_and_each_names_a_real_likeness(check: Check, sample: MakeSample) -> None:
    long = [f"word{number}" for number in range(60)]
    responses = [" ".join(long[step * 6 : step * 6 + 42]) for step in range(4)]
    human = sample("q0", responses[0], provenance="human", model=None, generation=None)
    corpus = [human, *(sample(f"q{number}", text) for number, text in enumerate(responses) if number)]
    assert flagged(check, corpus) == [False, True, True, True]
    by_start = {one.uid[:16]: one for one in corpus}
    for one in corpus[1:]:
        verdict = check(near_duplicate, one, corpus)
        start = re.search(r"[0-9a-f]{16}", verdict.findings[0].message)
        assert start is not None
        assert verdict.value is not None
        likeness = jaccard(one.response, by_start[start.group()].response, "word3")
        assert 0.7 <= likeness == pytest.approx(verdict.value, abs=1e-4)


def test_what_passed_before_the_corpus_grew_still_passes(sample: MakeSample) -> None:
    copies = [sample("q?", TEXT, model=f"model-{number}") for number in range(8)]
    for old in copies:
        settings = near_duplicate.settings({})
        before = orjson.loads(near_duplicate.freeze([old], settings))
        fit = near_duplicate._fit
        assert fit is not None
        known = unpacked(fit(copies, unit="word3", previous=before))
        places = [known.place(one.uid) for one in copies]
        assert [place is not None and place.passes for place in places] == [one is old for one in copies]


def test_scripts_without_spaces_have_their_own_unit(check: Check, sample: MakeSample) -> None:
    text = (
        "潮水每天涨落两次因为月亮吸引海水而地球另一侧的海水也会隆起形成第二个潮峰所以海岸边的人们总能看到水位来回变化"
    )
    corpus = [sample("a", text), sample("b", text.replace("两次", "二回"))]
    assert any(check(near_duplicate, one, corpus, unit="char5").outcome is Outcome.FLAG for one in corpus)
    assert jaccard("abcdefgh", "abcdefgx", "char5") == pytest.approx(0.6)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_neither_order_nor_batches_change_what_is_found(dice: random.Random) -> None:
    texts = [" ".join(dice.choices(WORDS, k=dice.randint(1, 30))) for _ in range(12)]
    texts += [edited(dice.choice(texts), dice.choice((0.03, 0.1, 0.2)), dice) for _ in range(12)]
    corpus = [
        Sample(
            messages=(Message(role="user", content="q"), Message(role="assistant", content=text)),
            provenance=dice.choice(list(Provenance)),
            model=f"model-{number}",
        )
        for number, text in enumerate(texts)
    ]
    options = near_duplicate.settings({})
    state = near_duplicate.freeze(corpus, options)
    shuffled = dice.sample(corpus, len(corpus))
    assert near_duplicate.freeze(shuffled, options) == state
    context = Context({"near_duplicate": orjson.loads(state)})
    kept = [one for one in corpus if near_duplicate(one, context).outcome is Outcome.PASS]
    clusters = brute_force(texts)
    singles = len(texts) - sum(map(len, clusters))
    assert len(kept) == len(clusters) + singles
    assert found(texts) == clusters


SCRIPT = """
import sys
from holdfast.db.models import Message, Sample
from holdfast.verifiers.consistency.near_duplicate import near_duplicate
texts = [f"{word} " * 3 + "and so on with the same end of the text for all" for word in {"a", "b", "c", "d", "é"}]
samples = [Sample(messages=(Message(role="assistant", content=text),), provenance="synthetic") for text in texts]
sys.stdout.buffer.write(near_duplicate.freeze(samples, near_duplicate.settings({})))
"""


def test_the_seed_of_hashes_changes_nothing() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != b""


def test_dense_clusters_and_copies_stay_quick() -> None:
    dice = random.Random(3)
    template = [f"word{number}" for number in range(100)]
    dense = []
    for number in range(4_000):
        start = number % 40 * 2
        fill = [f"fill{dice.randrange(10**9)}" for _ in range(15)]
        dense.append(" ".join([*template[:start], *fill, *template[start + 15 :]]))
    clusters = found(dense)
    assert all(any(set(range(start, 4_000, 40)) <= cluster for cluster in clusters) for start in range(40))
    assert found(["same text again and again"] * 20_000) == {frozenset(range(20_000))}


@pytest.mark.parametrize(
    "text", ["x" * 200_000, "a " * 100_000, "é\u0301" * 100_000, "\n" * 200_000, "🙂" * 50_000, "\x00"]
)
def test_hostile_texts_are_compared_in_time(text: str) -> None:
    assert found([text, text, "else"]) == {frozenset((0, 1))}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the golden vectors are not here")
def test_bands_agree_as_often_as_theory_says() -> None:
    golden = json.loads((SHARED / "design" / "golden_vectors.json").read_text())
    vectors = golden["vectors"] if isinstance(golden, dict) else golden
    (curve,) = [vector for vector in vectors if vector["id"] == "lsh_curve"]
    dice = np.random.default_rng(1)
    for similarity, expected in zip(curve["input"]["s"], curve["expected"], strict=True):
        size, pairs = 120, 600
        shared = round(2 * size * similarity / (1 + similarity))
        tokens = []
        for _ in range(pairs):
            common, one, other = np.split(dice.integers(1 << 32, size=2 * size - shared), [shared, size])
            tokens += [np.sort(np.concatenate((common, part))).astype(np.uint32) for part in (one, other)]
        sizes = np.full(2 * pairs, size, dtype=np.int64)
        rows = Rows(np.concatenate(tokens), np.cumsum(sizes) - sizes, sizes)
        _, members = minhash_buckets(rows, np.arange(2 * pairs))
        met = len(set((members // 2).tolist())) / pairs
        assert met == pytest.approx(expected, abs=0.06)


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the shared data sets are not here")
def test_planted_edits_of_real_texts_are_found_as_brute_force_finds_them() -> None:
    dice = random.Random(11)
    texts = []
    for path in sorted((SHARED / "data").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["response"] for line in lines]
    texts = dice.sample([text for text in texts if text.strip()], 2_000)
    texts += [edited(text, dice.choice((0.02, 0.05, 0.08, 0.12)), dice) for text in dice.sample(texts, 1_000)]
    dice.shuffle(texts)
    truth, ours = brute_force(texts), found(texts)
    true_pairs, our_pairs = (
        {pair for cluster in clusters for pair in combinations(sorted(cluster), 2)} for clusters in (truth, ours)
    )
    assert len(true_pairs) > 500
    assert len(true_pairs & our_pairs) >= 0.99 * len(true_pairs)
    assert len(true_pairs & our_pairs) >= 0.99 * len(our_pairs)
