"""Between an edit under way and the draft that is kept of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from holdfast.db.models import Message
from holdfast.reviewer.pipeline.desk import ClaimedItem, Draft

Turns = tuple[Message, ...]


def turns_of(item: ClaimedItem) -> Turns:
    """The item's turns as an edit starts from them: with an empty response where there is none yet."""
    if item.response_turn < len(item.messages):
        return item.messages
    return (*item.messages, Message(role="assistant", content=""))


def with_text(turns: Turns, turn: int, text: str) -> Turns:
    """The turns with one text replaced."""
    return (*turns[:turn], turns[turn].model_copy(update={"content": text}), *turns[turn + 1 :])


def changed_turns(item: ClaimedItem, turns: Turns) -> tuple[int, ...]:
    """The numbers of the turns that an edit changed."""
    pairs = zip(turns_of(item), turns, strict=True)
    return tuple(number for number, (was, now) in enumerate(pairs) if was.content != now.content)


def draft_of(item: ClaimedItem, turns: Turns, now: datetime) -> Draft | None:
    """The draft that keeps an edit; None if it changes nothing."""
    changed = changed_turns(item, turns)
    if not changed:
        return None
    turn = item.response_turn if item.response_turn in changed else changed[0]
    others = tuple((number, turns[number].content) for number in changed if number != turn)
    return Draft("edit", turns[turn].content, now, turn, others)


def edit_draft(item: ClaimedItem) -> Draft | None:
    """The kept edit of the item, if any."""
    return next((draft for draft in item.drafts if draft.kind == "edit"), None)


def with_edit(item: ClaimedItem, draft: Draft | None) -> ClaimedItem:
    """The item with another kept edit, or none."""
    rest = tuple(one for one in item.drafts if one.kind != "edit")
    return replace(item, drafts=rest if draft is None else (draft, *rest))


def drafted(item: ClaimedItem) -> Turns:
    """The item's turns as the kept edit has them; a draft that does not fit the item is left aside."""
    turns = turns_of(item)
    draft = edit_draft(item)
    if draft is None:
        return turns
    for number, text in ((item.response_turn if draft.turn is None else draft.turn, draft.text), *draft.others):
        if 0 <= number < len(turns):
            turns = with_text(turns, number, text)
    return turns
