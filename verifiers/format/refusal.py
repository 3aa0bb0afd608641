"""Responses that decline to answer, and phrases in which a model speaks of itself as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from holdfast.db.models import PASS, Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.passages import is_quoted, without_code
from holdfast.verifiers.reading import reading

OPENING = 200
"""Characters at the start of a response in which a refusal stands; later on the answer has already been given."""
GOES_ON = 120
"""Words from which a response that opens with a refusal goes on to answer: that is noted, not flagged."""

_SHOWN = 3
_FIRST_WORDS = 50

_CANNOT = (
    r"(?:(?:can(?:['’]t|not| not)|could not|won['’]t|will not|won['’]t be able to|will not be able to"
    r"|(?:must|have to) (?:respectfully )?(?:decline|refuse) to)"
    r"|(?:['’]m|am|are|['’]re) (?:unable|not able|not allowed|not permitted|not programmed|not comfortable|not capable)"
    r"(?: to| with| of)?|do(?:n['’]t| not) feel comfortable)(?: \w+ly)?"
)
_APOLOGY = (
    r"(?:\b(?:(?:i['’]m|i am) (?:\w+ ){0,2})?sorry\b|\b(?:i |my )?(?:sincere )?apolog(?:i[sz]e|ies)\b"
    r"|\bunfortunately\b|\bi (?:\w+ )?regret\b)"
)
_ANY_TASK = (
    r"(?:assist|help(?! but\b)|provid|fulfil|compl[yie]|answer|respond|generat|creat|writ|produc|giv|shar|discuss|engag"
    r"|support|continu|do (?:that|this|so|what)|doing (?:that|this)|perform|process|access|open|view|browse|tell|offer"
    r"|translat|summari|recommend|express|predict)"
)
_THE_TASK = (
    r"(?:assist(?:ing)? (?:you )?(?:with|in)|help(?:ing)? (?:you )?(?:with|to) (?:that|this|your|the|any)"
    r"|(?:fulfil|complet|process|carry out|perform|answer|do|discuss|generat|creat|writ|produc|continu|respond to)\w* "
    r"(?:(?:that|this)(?= *[.,;!\n]| (?:request|task|question|type|kind|sort|content))"
    r"|such|your (?:request|question|query)|the request|any content)|comply(?:ing)? with"
    r"|engag(?:e|ing) (?:in|with) (?:that|this|such)"
    r"|provid(?:e|ing) (?:you )?(?:with )?(?:that|this|such|any|information|instructions|guidance|assistance|advice"
    r"|personali[sz]ed|medical|legal|financial|specific))"
)
_REFUSAL = re.compile(
    rf"{_APOLOGY}[^.!?\n]{{0,80}}?[,.!;]? ?(?:but |that |as an? [^.!?\n]{{0,50}}?, ?)?"
    rf"\b(?:i|we) ?{_CANNOT} {_ANY_TASK}\w*"
    rf"|\b(?:i|we) ?{_CANNOT} {_THE_TASK}\b",
    re.IGNORECASE,
)
_MODEL = r"(?:(?:language|text|chat|ai|text-based|large)[ -])*(?:model|assistant|chatbot|bot|system|program)"
_SELF = re.compile(
    rf"\bas an? (?:(?:ai|artificial intelligence)(?: {_MODEL})?|(?:large )?language model|virtual assistant)"
    rf"(?=,| i\b| my\b| (?:developed|created|trained|made|designed|built)\b)(?=[^.!?\n\"”]{{0,80}}?\b(?:i|my|me)\b)"
    r"|\bi(?:['’]m| am) (?:just |only |merely )?"
    r"(?:an ai (?:language )?(?:model|assistant|chatbot|system)|a (?:large )?language model)"
    r"|\bi(?: was|['’]m| am|['’]ve been) (?:trained|developed|created|made) by openai"
    r"|\bas of my (?:last|latest|most recent|current) (?:knowledge |training )?(?:update|cut-?off|training|data)"
    r"|\bmy (?:knowledge|training)(?: data)?"
    r"(?:(?:['’]s)? cut-?off| (?:only )?(?:goes|extends) (?:only )?up to| was last updated)"
    r"|\bi do(?:n['’]t| not) have (?:any )?"
    r"(?:personal (?:opinion|feeling|experience|belief|preference|emotion)s?\b|access to real-time\b)",
    re.IGNORECASE,
)
# In other languages the openings are enough: a text that begins so is rarely anything else.
_REFUSAL_ELSEWHERE = re.compile(
    r"\A\W{0,3}(?:(?:es )?tut mir (?:sehr )?leid, (?:aber )?(?:ich kann|das kann ich|dabei kann ich|ich bin nicht)"
    r"|(?:leider )?kann ich (?:dir |ihnen )?dabei nicht helfen"
    r"|(?:je suis )?désolée?,? (?:mais )?je ne (?:peux|suis|puis)"
    r"|lo siento,? (?:pero )?no (?:puedo|soy capaz)|(?:desculpe|sinto muito),? (?:mas )?(?:eu )?não (?:posso|consigo)"
    r"|mi dispiace,? (?:ma )?non (?:posso|sono in grado)|het spijt me,? (?:maar )?ik kan"
    r"|(?:к сожалению|извините|простите),? (?:но )?я не могу"
    r"|(?:很|非常)?(?:抱歉|对不起)，?(?:但)?我(?:无法|不能|无权)|申し訳(?:ありません|ございません)が、"
    r"|죄송(?:합니다|하지만)[.,]? ?(?:저는|그|해당|도와))",
    re.IGNORECASE,
)
_SELF_ELSEWHERE = re.compile(
    r"\bals (?:ein )?(?:KI|künstliche Intelligenz)(?:[- ](?:Sprachmodell|Modell|Assistent))?"
    r"(?=,? (?:kann|habe|bin) ich)"
    r"|\ben tant qu(?:e modèle de langage|['’](?:IA|intelligence artificielle))\b|\bals (?:AI-)?taalmodel\b"
    r"|\bcomo (?:un )?(?:modelo de lenguaje|IA)\b|\bcomo (?:um )?modelo de linguagem\b|\bcome modello linguistico\b"
    r"|\bкак (?:языковая модель|ИИ)\b|作为(?:一个|一名)?(?:(?:AI|人工智能|大?语言)(?:语言)?模型|AI|人工智能)"
    r"|(?:AI)?言語モデルとして",
    re.IGNORECASE,
)

# One of these words is in every text that the patterns match: they spare the rest the search.
_REFUSAL_WORDS = ("sorry", "i can", "unable", "apolog", "unfortunately", "i won", "not able", "comfortable", "decline")
_SELF_WORDS = (
    " an ai", "language model", "as of my", "my knowledge", "my training", "have personal", "access to real",
    " an artificial", "openai",
)  # fmt: skip
_ELSEWHERE_WORDS = (
    "puedo", "tut mir", "dabei nicht", "spijt me", "dispiace", "als ki", "als ein", "tant qu", "modello", "modelo",
    "taalmodel", "je ne p", "je ne s", "como ia", "soy capaz",
)  # fmt: skip
_ELSEWHERE_LETTERS = ("não", "désol", "künstliche", "не могу", "модель", "как ии", "我", "作为", "申し", "言語", "죄송")
_ASKED_FOR = ("sorry", "apolog", "refus", "declin", "reject", "turn down", "say no", "translat")


@verifier(layer="format", version="1")
def refusal(sample: Sample, ctx: Context) -> Verdict:
    """Flag a response that declines to answer, and phrases in which a model speaks of itself ("as an AI…").

    Words in quotation marks, in code or in the prompt are somebody else's. A refusal that the reference holds too is
    the right answer.
    """
    view = reading(sample)
    lowered = view.lowered
    opening = lowered[:OPENING]
    first_words = opening[:_FIRST_WORDS]
    findings: list[Finding] = []
    if any(map(opening.__contains__, _REFUSAL_WORDS)):
        findings += _refusals(sample, _REFUSAL)
    if opening.startswith("as an ai") or any(map(lowered.__contains__, _SELF_WORDS)):
        findings += _self_descriptions(sample, _SELF, sample.response)
    if any(map(first_words.__contains__, _ELSEWHERE_WORDS if view.ascii else _ELSEWHERE_LETTERS + _ELSEWHERE_WORDS)):
        findings += _refusals(sample, _REFUSAL_ELSEWHERE)
        findings += _self_descriptions(sample, _SELF_ELSEWHERE, sample.response[:OPENING])
    return Verdict.found(findings) if findings else PASS


def _refusals(sample: Sample, pattern: re.Pattern[str]) -> Iterator[Finding]:
    """At most one finding: where the response's opening declines."""
    text = sample.response
    found = pattern.search(without_code(text[: OPENING + 100]), 0, OPENING)
    if found is None or is_quoted(text, found.start()):
        return
    asked = sample.prompt.lower()
    if any(map(asked.__contains__, _ASKED_FOR)) or pattern.search((sample.reference or "")[:OPENING]):
        return
    words = len(text.split())
    if words < GOES_ON:
        yield Finding("refusal", Severity.WARN, f"declines to answer: {_shown(found)}", found.span())
    else:
        message = f"opens with a refusal ({_shown(found)}) and goes on for {words:,} words"
        yield Finding("refusal", Severity.INFO, message, found.span())


def _self_descriptions(sample: Sample, pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    """Findings for the first phrases in which the writer calls itself a model."""
    asked = sample.prompt.lower()
    places = (found for found in pattern.finditer(without_code(text)) if found.group().lower() not in asked)
    for found in islice((found for found in places if not is_quoted(text, found.start())), _SHOWN):
        yield Finding("ai-boilerplate", Severity.WARN, f"a model speaks of itself: {_shown(found)}", found.span())


def _shown(found: re.Match[str]) -> str:
    phrase = " ".join(found.group().split()).rstrip(",. ")
    return repr(phrase if len(phrase) <= 80 else phrase[:79] + "…")
