"""Near-duplicates among real texts with planted edits, beside a plain set-based join of every pair.

Beyond the real texts the corpus is filled with texts made of their sentences, in which each stretch occurs many times;
pairs are then no longer counted one by one.
"""

from __future__ import annotations

import random
import re
import resource
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import orjson
from common import arguments
from real import real_corpus

from holdfast.verifiers.consistency.shingles import ShingleSets, batches
from holdfast.verifiers.consistency.similar_sets import join
from holdfast.verifiers.consistency.token_sets import Rows

REAL, PLANTED = 14_000, 6_000
_WORD = re.compile(r"\w+")


def planted_corpus() -> list[str]:
    """Real texts, and among them copies with 2 to 15 % of their words replaced or dropped."""
    dice = random.Random(5)
    with real_corpus(20_000).open("rb") as lines:
        texts = [response for response in (orjson.loads(line)["response"] for line in lines) if response.strip()]
    texts = dice.sample(texts, REAL)
    vocabulary = _WORD.findall(" ".join(texts[:2_000]))
    texts += [_edited(text, dice.choice((0.02, 0.05, 0.08, 0.1, 0.15)), vocabulary, dice) for text in texts[:PLANTED]]
    dice.shuffle(texts)
    return texts


def recombined(texts: Sequence[str], count: int) -> Iterator[str]:
    """Texts of some 600 bytes made of sentences of others."""
    dice = random.Random(7)
    sentences = [one for text in texts for one in re.split(r"(?<=[.!?])\s+", text) if 30 < len(one) < 200]
    for _ in range(count):
        yield " ".join(dice.choices(sentences, k=7))


def clusters_of(texts: Iterator[str]) -> list[int]:
    """The cluster of each text."""
    sets = ShingleSets("word3")
    numbers = [number for batch in batches(enumerate(texts)) for number in sets.add([text for _, text in batch])]
    sizes = np.array(sets.sizes, dtype=np.int64)
    alike = join(Rows(np.frombuffer(sets.tokens, dtype=np.uint32), np.cumsum(sizes) - sizes, sizes))
    cluster: list[int] = alike.cluster[numbers].tolist()
    return cluster


def pairs_by_brute_force(texts: Sequence[str]) -> set[tuple[int, int]]:
    """Every pair with a similarity of .7 or more, from plain sets of word 3-grams."""
    holders: defaultdict[object, list[int]] = defaultdict(list)
    sizes: list[int] = []
    pairs = set()
    for number, text in enumerate(texts):
        folded = unicodedata.normalize("NFC", text).casefold()
        words = _WORD.findall(folded)
        own: set[object] = set(zip(words, words[1:], words[2:], strict=False)) or {" ".join(folded.split())}
        shared: defaultdict[int, int] = defaultdict(int)
        for shingle in own:
            for other in holders[shingle]:
                shared[other] += 1
            holders[shingle].append(number)
        sizes.append(len(own))
        for other, count in shared.items():
            if 10 * count >= 7 * (len(own) + sizes[other] - count):
                pairs.add((other, number))
    return pairs


def tied(pairs: set[tuple[int, int]], count: int) -> list[int]:
    """The cluster of each of so many texts, from the pairs that are alike."""
    cluster = list(range(count))

    def root(one: int) -> int:
        while cluster[one] != one:
            cluster[one] = one = cluster[cluster[one]]
        return one

    for one, other in sorted(pairs):
        low, high = sorted((root(one), root(other)))
        cluster[high] = low
    return [root(one) for one in range(count)]


def main() -> None:
    """Run; print seconds, recall and precision of pairs, and the ratio to brute force."""
    chosen = arguments("near-duplicates", samples=REAL + PLANTED)
    texts = planted_corpus()
    if chosen.samples > len(texts):
        start = time.perf_counter()
        clusters = clusters_of(chain(texts, recombined(texts, chosen.samples - len(texts))))
        took, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{len(clusters):,} texts: {took:.1f} s with making them, peak {peak:.2f} GiB (goal ≤ 4)")
        return
    seconds = []
    for _ in range(chosen.runs):
        start = time.perf_counter()
        ours = clusters_of(iter(texts))
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    pairs = pairs_by_brute_force(texts)
    brute = time.perf_counter() - start
    truth = tied(pairs, len(texts))
    found = sum(ours[one] == ours[other] for one, other in pairs)
    print(
        f"{len(texts):,} real texts with {PLANTED:,} planted edits: {min(seconds):.2f} s (goal ≤ 3), "
        f"recall {found / len(pairs):.4f} of {len(pairs):,} pairs, precision {_purity(ours, truth):.4f} "
        f"(goals ≥ .99), {brute / min(seconds):.0f} × as fast as brute force ({brute:.1f} s)"
    )


def _purity(ours: Sequence[int], truth: Sequence[int]) -> float:
    """Of the texts that are put together with another one, the share that truth puts together with it as well."""
    first: dict[int, int] = {}
    together = right = 0
    for number, cluster in enumerate(ours):
        other = first.setdefault(cluster, number)
        if other != number:
            together += 1
            right += truth[other] == truth[number]
    return right / max(together, 1)


def _edited(text: str, share: float, vocabulary: Sequence[str], dice: random.Random) -> str:
    words = text.split(" ")
    for place in dice.sample(range(len(words)), max(1, int(share * len(words)))):
        words[place] = dice.choice(vocabulary) if dice.random() < 0.7 else ""
    return " ".join(words)


if __name__ == "__main__":
    main()
