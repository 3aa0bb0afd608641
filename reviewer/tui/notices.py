"""What fills the screen when there is no sample on it. Pure: values in, documents out."""

from __future__ import annotations

from holdfast.db.errors import HoldfastError, StoreFull, StoreReadOnly
from holdfast.reviewer.pipeline.desk import Progress
from holdfast.reviewer.tui.docs import Builder, Doc


def title(text: str) -> Doc:
    """A notice's title line."""
    return Builder().add(text, "strong").build()


def loading() -> Doc:
    """The first claim is on its way."""
    return Builder().add("\nTaking the next sample from the queue …", "dim").build()


def empty(progress: Progress | None, where: str) -> Doc:
    """Nothing is due: what was done and what to do next."""
    builder = Builder()
    if where:
        builder.add("\nNothing that is due matches ").add(where, "key").add(".\n", "strong")
        builder.add("Press / and clear the line to review everything.\n")
    else:
        builder.add("\nNothing is due.\n", "strong")
    if progress is not None:
        builder.add(f"\nYou decided {progress.decided_today} today.")
        if progress.leased_by_others:
            builder.add(f" {progress.leased_by_others} are with other reviewers now.")
        if progress.left:
            builder.add(f" {progress.left} wait for a lease to end or for the hour after your skip.")
        builder.add("\n")
        if progress.next_steps:
            builder.add("\nWhat next\n", "heading")
        for step in progress.next_steps:
            command = step.startswith("holdfast ")
            builder.add("  $ " if command else "→ ", "dim" if command else "key")
            builder.add(step, *(("strong",) if command else ())).add("\n")
    builder.add("\nThe desk looks again every half minute. ", "dim")
    return builder.add("u takes your last decision back, H lists your decisions, q leaves.", "dim").build()


def paused(minutes: float) -> Doc:
    """The claims went back because nobody was here."""
    return (
        Builder()
        .add("\nYou were away.\n", "strong")
        .add(f"\nAfter {minutes:g} minutes without a key the samples went back to the queue, so that nobody waits for ")
        .add("them. Nothing you decided is lost, and unfinished edits and notes are kept.\n\n")
        .add("Press any key to go on.", "key")
        .build()
    )


def failed(error: HoldfastError) -> Doc:
    """No sample can be claimed; what it means and what helps."""
    builder = Builder().add("\n").add(f"{headline(error)}\n", "block-sign").add(f"\n{error}\n\n")
    for line in _remedy(error):
        builder.add("→ ", "key").add(f"{line}\n")
    return builder.add("\nThe desk tries again every half minute; q leaves.", "dim").build()


def headline(error: HoldfastError) -> str:
    """An error in a few words."""
    if isinstance(error, StoreReadOnly):
        return "The store cannot be written"
    if isinstance(error, StoreFull):
        return "The disk is full"
    return "That did not work"


def _remedy(error: HoldfastError) -> tuple[str, ...]:
    if isinstance(error, StoreReadOnly):
        return ("Ask the project's lead for write access to the folder and to holdfast.db.",)
    if isinstance(error, StoreFull):
        return ("Free some room on the disk that holds the project; nothing that was saved is lost.",)
    return ()


def closing(unsaved: int) -> Doc:
    """The screen waits for answers on their way."""
    answers = "answer is" if unsaved == 1 else "answers are"
    return (
        Builder()
        .add("\nSaving before leaving\n", "strong")
        .add(f"\n{unsaved} {answers} still being written. ")
        .add("The desk closes as soon as that is done.\n\n")
        .add("q", "key")
        .add(" again leaves without waiting, after a question.", "dim")
        .build()
    )
