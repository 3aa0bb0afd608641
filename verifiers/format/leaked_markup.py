"""Markup that belongs to the machinery: special tokens, chat templates, further turns, thinking tags, HTML in prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from holdfast.db.models import PASS, Finding, Provenance, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.passages import without_code
from holdfast.verifiers.reading import reading

SHOWN = 5
"""Most findings of one kind in one text."""

_TEMPLATE = r"<\|[a-z][a-z0-9_ ]{0,40}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^<>｜]{1,40}｜>"
_TOKEN = re.compile(
    _TEMPLATE + r"|</?s>(?=\s|\Z|\[)|\A\s{0,3}<s>|<(?:unk|pad|eos|bos|sep|cls|mask)>|<extra_id_\d{1,3}>|<0x[0-9A-F]{2}>"
    r"|\[(?:PAD|CLS|SEP|MASK|UNK|BOS|EOS)\]"
)
_IN_PROMPT = re.compile(_TEMPLATE)
_HEADING = re.compile(
    r"^### ?(?:Instructions?|Response|Input|Output|Human|User|Assistant|System|End)\b:?(?=[ \t]*$|:)", re.MULTILINE
)
_THINKING = re.compile(
    r"</?(?:think|thinking|thought|reasoning|reflection|scratchpad|inner_monologue|tool_call|tool_response"
    r"|function_?calls?|function_results|antThinking|answer|final_answer)>"
)
_PIECES = re.compile(r"(?:[Ġ▁][^\WĠ]+ ?){3,}|\w{0,40}Ċ")
_SPEAKER = re.compile(r"^(?:Human|User|Assistant|ChatGPT):(?=\s|\Z)", re.MULTILINE)
_EXAMPLE = re.compile(r"^(?:Instruction|Input|Output):(?=[ \t\n])", re.MULTILINE)

_HTML = re.compile(
    r"<br\s{0,3}/?>|<hr\s{0,3}/?>|<(?:img|a|font|iframe)\s[^<>]{0,300}>"
    r"|</(?:p|div|span|b|i|u|em|strong|a|ul|ol|li|h[1-6]|table|tr|td|th|font|center|ref|blockquote|body|html)>",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|[lr][sd]quo|hellip|[mn]dash|bull|copy|reg|trade|eacute|#\d{2,5}|#x[0-9a-fA-F]{2,5});"
)
_OF_MARKUP = re.compile(
    r"\b(?:html5?|xml|xhtml|markup|tags?|web ?(?:site|page)s?|css|svg|javascript|jsx?|react|php|markdown|jinja|wiki"
    r"|code|latex|entit(?:y|ies)|escap\w+)\b",
    re.IGNORECASE,
)
_TOLD = re.compile(r"\b(?:tokens?|tags?|markers?|delimiters?|templates?|special|tokeni[sz]\w+)\b", re.IGNORECASE)
_DIALOGUE = re.compile(
    r"\b(?:dialog(?:ue)?s?|conversations?|chats?|chatbots?|transcripts?|scripts?|interviews?|role-?plays?|talk(?:ing)?)\b",
    re.IGNORECASE,
)
# Something of this shape is in every text with marks in brackets that the patterns above match.
_SHAPE = re.compile(r"<[/|｜<]{0,3}[A-Za-z]|<0x|\[/?[A-Z]{3,4}\]")
_QUOTES = ("'", '"', "‘", "“", "«", "„")
_NEAR = 60
_LOOKED_AT = 500
"""Most marks of a kind that are looked for in the prompt."""
_DENSE = 15
"""Words for each tag below which a longer text is a page of HTML and no prose."""


@verifier(layer="format", version="1")
def leaked_markup(sample: Sample, ctx: Context) -> Verdict:
    """Flag special tokens, chat templates, further turns, thinking tags, and HTML in prose that nobody asked for.

    Code, quotations and texts about markup are left alone. In people's texts HTML is only noted.
    """
    text, prompt = sample.response, sample.prompt
    findings: list[Finding] = []
    shaped = ("<" in text or "[" in text) and _SHAPE.search(text) is not None
    if shaped or "### " in text or "Input:" in text:
        findings += _machinery(sample)
    if shaped or ("&" in text and ";" in text):
        findings += _html(sample)
    if "Human:" in text or "User:" in text or "Assistant:" in text or "ChatGPT:" in text:
        findings += _further_turns(sample)
    if not reading(sample).ascii and ("Ġ" in text or "▁" in text or "Ċ" in text):
        pieces = (found for found in _PIECES.finditer(without_code(text)) if not _is_told(text, found))
        findings += _each(pieces, "special-token", "pieces of a tokenizer: {}")
    if "<|" in prompt or "[INST]" in prompt or "<<SYS" in prompt or "_of_turn>" in prompt:
        places = () if _TOLD.search(prompt) else _IN_PROMPT.finditer(without_code(prompt))
        findings += _each(places, "chat-template", "part of a chat template: {}", "prompt")
    return Verdict.found(findings) if findings else PASS


def _each(
    places: Iterable[re.Match[str]], code: str, message: str, of: Literal["response", "prompt"] = "response"
) -> Iterator[Finding]:
    for found in islice(places, SHOWN):
        shown = " ".join(found.group().split())
        shown = repr(shown if len(shown) <= 60 else shown[:59] + "…")
        yield Finding(code, Severity.WARN, message.format(shown), found.span(), of)


def _machinery(sample: Sample) -> Iterator[Finding]:
    """Special tokens, headings of instruction templates, thinking tags, and examples that a template continues with."""
    text, prompt = sample.response, sample.prompt
    plain = without_code(text)
    kinds = (
        (_TOKEN, "special-token", "a special token: {}"),
        (_HEADING, "chat-template", "part of an instruction template: {}"),
        (_THINKING, "thinking-tag", "a tag of the machinery: {}"),
    )
    for pattern, code, message in kinds:
        looked = islice(pattern.finditer(plain), _LOOKED_AT)
        places = (found for found in looked if found.group() not in prompt and not _is_told(text, found))
        yield from _each(places, code, message)
    yield from _further_examples(plain, prompt)


def _is_told(text: str, found: re.Match[str]) -> bool:
    """Whether a text speaks of the marks that were found: a quotation mark before them, or "token", "tag"… beside."""
    if text[max(0, found.start() - 1) : found.start()] in _QUOTES:
        return True
    around = text[max(0, found.start() - _NEAR) : found.start()] + " " + text[found.end() : found.end() + _NEAR]
    return _TOLD.search(around) is not None


def _further_examples(plain: str, prompt: str) -> Iterator[Finding]:
    """Where an answer is followed by further inputs and outputs, as in a prompt of examples."""
    places = list(islice(_EXAMPLE.finditer(plain), 2))
    if len(places) < 2 or places[0].group() == places[1].group():
        return
    at = places[0].start()
    if not plain[:at].strip() or "xample" in plain[:at] or "xample" in prompt:
        return
    yield Finding("further-turn", Severity.WARN, "the answer is followed by further inputs", places[0].span())


def _further_turns(sample: Sample) -> Iterator[Finding]:
    """Where a response goes on with the next turn, or begins with the name of its own role."""
    text, prompt = sample.response, sample.prompt
    places = list(islice(_SPEAKER.finditer(without_code(text)), SHOWN))
    if not places:
        return
    transcript = _SPEAKER.match(prompt[prompt.rfind("\n", 0, len(prompt.rstrip())) + 1 :]) is not None
    if not transcript and (_DIALOGUE.search(prompt) or any(one.group() in prompt for one in places)):
        return
    for found in places:
        if not text[: found.start()].strip():
            if found.group() in ("Human:", "User:"):
                return
            yield Finding("chat-template", Severity.WARN, f"begins with the role {found.group()!r}", found.span())
        else:
            yield Finding("further-turn", Severity.WARN, f"goes on with a turn of {found.group()!r}", found.span())


def _html(sample: Sample) -> Iterator[Finding]:
    """One finding each for the tags and the entities of a text that is prose and was not asked to hold any."""
    text = sample.response
    plain = without_code(text)
    severity = Severity.INFO if sample.provenance in (Provenance.HUMAN, Provenance.HUMAN_EDITED) else Severity.WARN
    if text.lstrip()[:9].lower().startswith(("<!doctype", "<html")) or text.startswith("|") or "\n|" in text:
        return
    for pattern, what in ((_HTML, "HTML tag"), (_ENTITY, "HTML entity")):
        first = pattern.search(plain)
        if first is None:
            continue
        count = len(pattern.findall(plain))
        about = _OF_MARKUP.search(sample.prompt) or first.group() in sample.prompt or _is_told(text, first)
        if about or count * _DENSE > len(text.split()) > 2 * _DENSE:
            continue
        more = f", the first of {count}" if count > 1 else ""
        yield Finding("html-in-prose", severity, f"an {what} in prose: {first.group()!r}{more}", first.span())
