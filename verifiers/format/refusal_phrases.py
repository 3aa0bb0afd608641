"""Phrases with which models decline to answer or speak of themselves, as patterns."""

from __future__ import annotations

import re

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
    r"(?:assist(?:ing)? (?:you )?(?:with|in)|help(?:ing)? you\b|help(?:ing)? (?:with|to) (?:that|this|your|the|any)"
    r"|satisfy your|(?:creat|generat|writ|produc)\w* (?:any )?(?:content|material|text|hateful|harmful|explicit"
    r"|offensive|illegal|inappropriate|sexual|violent|dangerous)"
    r"|(?:fulfil|complet|process|carry out|perform|answer|do|discuss|generat|creat|writ|produc|continu|respond to)\w* "
    r"(?:(?:that|this)(?= *[.,;!\n]| (?:request|task|question|type|kind|sort|content))"
    r"|such|your (?:request|question|query)|the request|any content)|comply(?:ing)? with"
    r"|engag(?:e|ing) (?:in|with) (?:that|this|such)"
    r"|provid(?:e|ing) (?:you )?(?:with )?(?:that|this|such|any|information|instructions|guidance|assistance|advice"
    r"|personali[sz]ed|medical|legal|financial|specific))"
)
REFUSAL = re.compile(
    rf"{_APOLOGY}[^.!?\n]{{0,80}}?[,.!;]? ?(?:but |that |as an? [^.!?\n]{{0,50}}?, ?)?"
    rf"\b(?:i|we) ?{_CANNOT} {_ANY_TASK}\w*"
    rf"|\b(?:i|we) ?{_CANNOT} {_THE_TASK}\b"
    r"|\bi (?:must|have to|will have to)(?: \w+ly)? (?:decline|refuse)\b"
    rf"|\bi (?:\w+ly )?(?:decline|refuse) to {_ANY_TASK}\w*"
    r"|\b(?:that|this|it)(?:['’]s| is) not something (?:i|we)(?:['’]m able to| am able to| can) (?:help|assist|do)\b"
    r"|\bit (?:is not appropriate|would (?:not )?be (?:in)?appropriate) for me to\b",
    re.IGNORECASE,
)

_MODEL = r"(?:(?:language|text|chat|ai|text-based|large)[ -])*(?:model|assistant|chatbot|bot|system|program)"
SELF = re.compile(
    rf"\bas an? (?:(?:ai|artificial intelligence)(?: {_MODEL})?|(?:large )?language model|virtual assistant)"
    rf"(?=,| i\b| my\b| (?:developed|created|trained|made|designed|built)\b)(?=[^.!?\n\"”]{{0,80}}?\b(?:i|my|me)\b)"
    r"|\b(?:i(?:['’]m| am)|being) (?:\w+, )?(?:just |only |merely )?(?:a (?:large )?language model|an ai(?=[,.;!]"
    r"| (?:language|text|model|assistant|chatbot|system|and|so|created|designed|developed|trained)\b)"
    r"(?: (?:language )?(?:model|assistant|chatbot|system))?)"
    r"|\bi(?:['’]m| am) programmed to\b"
    r"|\bi(?: was|['’]m| am|['’]ve been) (?:trained|developed|created|made) by openai"
    r"|\b(?:against|violates?|within|by|prevents?|of) (?:my|openai['’]s|anthropic['’]s) (?:\w+ )?"
    r"(?:programming|guidelines|polic(?:y|ies))\b"
    r"|\bmy (?:\w+ )?(?:programming|guidelines) (?:prevents?|do(?:es)?(?: not|n['’]t)|forbids?)\b"
    r"|\bas of my (?:last|latest|most recent|current) (?:knowledge |training )?(?:update|cut-?off|training|data)"
    r"|\bmy (?:knowledge|training)(?: data)?"
    r"(?:(?:['’]s)? cut-?off| (?:only )?(?:goes|extends) (?:only )?up to| was last updated)"
    r"|\bi do(?:n['’]t| not) have (?:any )?"
    r"(?:personal (?:opinion|feeling|experience|belief|preference|emotion)s?\b|access to real-time\b"
    r"|the (?:cap)?ability to (?:browse|access)\b)",
    re.IGNORECASE,
)
# In other languages the openings are enough: a text that begins so is rarely anything else.
REFUSAL_ELSEWHERE = re.compile(
    r"\A\W{0,3}(?:(?:es )?tut mir (?:sehr )?leid, (?:aber )?(?:ich kann|das kann ich|dabei kann ich|ich bin nicht)"
    r"|(?:leider kann ich|ich kann) (?:dir |ihnen )?(?:diese|deine|ihre|dabei|damit|das) [^.!?\n]{0,30}nicht"
    r"|je ne (?:peux|suis) pas (?:vous |t['’])?(?:aider|répondre|fournir)"
    r"|no puedo (?:ayudar|responder|proporcionar|cumplir)|(?:я )?не могу (?:помочь|ответить|выполнить)"
    r"|(?:je suis )?désolée?,? (?:mais )?je ne (?:peux|suis|puis)"
    r"|lo siento,? (?:pero )?no (?:puedo|soy capaz)|(?:desculpe|sinto muito),? (?:mas )?(?:eu )?não (?:posso|consigo)"
    r"|(?:przepraszam|przykro mi),? (?:ale )?nie (?:mogę|jestem w stanie)|nie mogę (?:pomóc|odpowiedzieć|spełnić)"
    r"|(?:вибачте|на жаль),? (?:але )?я не можу"
    r"|(?:üzgünüm|maalesef),? (?:ama |ancak )?[^.!?\n]{0,40}?(?:edemem|yapamam|olamam)"
    r"|xin lỗi,? (?:nhưng )?tôi không thể|maaf,? (?:tetapi |tapi )?saya tidak (?:dapat|bisa)"
    r"|(?:عذر[اًا]+|آسف)،? (?:ولكن |لكن )?(?:لا|لن) (?:أستطيع|يمكنني)|क्षमा करें,? (?:लेकिन )?मैं"
    r"|mi dispiace,? (?:ma )?non (?:posso|sono in grado)|het spijt me,? (?:maar )?ik kan"
    r"|(?:к сожалению|извините|простите),? (?:но )?я не могу"
    r"|(?:很|非常)?(?:抱歉|对不起)，?(?:但)?我(?:无法|不能|无权)|申し訳(?:ありません|ございません)が、"
    r"|죄송(?:합니다|하지만)[.,]? ?(?:저는|그|해당|도와))",
    re.IGNORECASE,
)
SELF_ELSEWHERE = re.compile(
    r"\bals (?:ein )?(?:KI|künstliche Intelligenz)(?:[- ](?:Sprachmodell|Modell|Assistent))?"
    r"(?=,? (?:kann|habe|bin) ich)"
    r"|\ben tant qu(?:e modèle de langage|['’](?:IA|intelligence artificielle))\b|\bals (?:AI-)?taalmodel\b"
    r"|\bcomo (?:un )?(?:modelo de lenguaje|IA)\b|\bcomo (?:um )?modelo de linguagem\b|\bcome modello linguistico\b"
    r"|\bкак (?:языковая модель|ИИ)\b|作为(?:一个|一名)?(?:(?:AI|人工智能|大?语言)(?:语言)?模型|AI|人工智能)"
    r"|(?:AI)?言語モデルとして",
    re.IGNORECASE,
)

# One of these words is in every text that the patterns match: they spare the rest the search.
REFUSAL_WORDS = (
    "sorry", "i can", "unable", "apolog", "unfortunately", "i won", "i will not", "not able", "comfortable", "decline",
    "appropriate for", "refuse",
)  # fmt: skip
SELF_WORDS = (
    " an ai", "language model", "as of my", "my knowledge", "my training", "have personal", "access to real",
)  # fmt: skip
# These are looked for at the beginning alone.
SELF_OPENING_WORDS = ("as an a", "guidelines", "openai", "my polic", "my programming", "am programmed", "ability to")
ELSEWHERE_WORDS = (
    "puedo", "tut mir", "ich kann", "kann ich", "spijt me", "dispiace", "als ki", "als ein", "tant qu", "modello",
    "modelo", "taalmodel", "je ne p", "je ne s", "como ia", "soy capaz", "maaf", "maalesef", "nie jestem",
)  # fmt: skip
ELSEWHERE_LETTERS = (
    "mogę", "не можу", "zgünüm", "không thể", "عذر", "آسف", "क्षमा",
    "não", "désol", "künstliche", "не могу", "модель", "как ии", "我", "作为", "申し", "言語", "죄송", *ELSEWHERE_WORDS,
)  # fmt: skip
