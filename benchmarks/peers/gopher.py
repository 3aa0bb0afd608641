"""Run datatrove's Gopher filters over a JSONL file in worker processes; print the seconds that they took.

It runs in the peers' environment. Imports and the first document, for which tokenizers are loaded, are left out.
"""

from __future__ import annotations

import json
import sys
import time
from multiprocessing import Barrier, Process, SimpleQueue
from multiprocessing.synchronize import Barrier as Gate

from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter


def work(documents: list[Document], ready: Gate, seconds: SimpleQueue[float]) -> None:
    """Both filters on every document, as both look at each of ours."""
    filters = (GopherQualityFilter(), GopherRepetitionFilter())
    for each in filters:
        each.filter(documents[0])
    ready.wait()
    start = time.perf_counter()
    for document in documents:
        for each in filters:
            each.filter(document)
    seconds.put(time.perf_counter() - start)


def main() -> None:
    """`gopher.py FILE WORKERS`"""
    path, workers = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as lines:
        rows = [json.loads(line) for line in lines]
    documents = [Document(text=f"{row['prompt']}\n\n{row['response']}", id=row["id"]) for row in rows]
    ready = Barrier(workers)
    seconds: SimpleQueue[float] = SimpleQueue()
    processes = [Process(target=work, args=(documents[at::workers], ready, seconds)) for at in range(workers)]
    for process in processes:
        process.start()
    print(max(seconds.get() for _ in processes))
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
