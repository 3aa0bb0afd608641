"""Which language a text is written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

FEWEST_LETTERS = 12
"""Letters that a text must have before its language can be told; a sign of Chinese or Japanese counts as three."""
LEAST_CONFIDENCE = 0.5
"""Of the identifier's probability; below, texts are named wrongly too often."""

_LOOKED_AT = 2_000

NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "kn": "Kannada", "ko": "Korean", "ku": "Kurdish", "la": "Latin", "lo": "Lao", "lt": "Lithuanian",
    "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "mt": "Maltese", "my": "Burmese", "nb": "Norwegian", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian",
    "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "so": "Somali", "sq": "Albanian",
    "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tg": "Tajik", "th": "Thai",
    "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "xh": "Xhosa", "yi": "Yiddish", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip
"""English names of languages by ISO 639-1 code; others are called by their code."""


def language_of(text: str) -> tuple[str, float] | None:
    """The language (ISO 639-1) and the confidence in it, up to 1; None where the text is too short or it is unsure."""
    text = text[:_LOOKED_AT]
    if letters(text) < FEWEST_LETTERS:
        return None
    code, confidence = _identifier()(text)
    return (code, round(confidence, 4)) if confidence >= LEAST_CONFIDENCE else None


def name_of(code: str) -> str:
    """The English name of a language, or its code where it is not a common one."""
    return NAMES.get(code.partition("-")[0], code)


def letters(text: str) -> int:
    """How many letters say how much: a sign of Chinese, Japanese or Korean counts as three."""
    return sum(3 if letter >= "\u3040" else 1 for letter in text if letter.isalpha())


@cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    """The identifier, limited to the languages of NAMES (else Pidgin is found for English, Aragonese for Spanish …)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if code in NAMES])
    return identifier.classify  # type: ignore[no-any-return]


_KIN = ({"da", "nb", "nn", "no"}, {"bs", "hr", "sr"}, {"id", "ms"}, {"cs", "sk"})
"""Languages that short texts do not tell apart."""


def alike(one: str, other: str) -> bool:
    """Whether two codes name one language, or languages too close to be told apart."""
    return one == other or any(one in kin and other in kin for kin in _KIN)


_ENGLISH = frozenset(
    {
        "The", "This", "You", "about", "also", "and", "are", "because", "been", "but", "by", "can", "could", "each",
        "from", "has", "have", "how", "if", "into", "it", "its", "more", "not", "other", "should", "than", "that",
        "the", "their", "there", "these", "they", "this", "to", "were", "what", "when", "which", "who", "will", "with",
        "would", "you", "your",
    }
)  # fmt: skip
"""Frequent words of English of which no other language has three."""
_ENGLISH_AND_OTHERS = frozenset({"a", "all", "an", "as", "at", "for", "he", "in", "is", "of", "on", "or", "was", "we"})
_OTHERS = frozenset(
    {
        "aan", "ang", "att", "av", "avec", "az", "bir", "ca", "che", "con", "cu", "da", "dan", "dans", "das", "dat",
        "de", "del", "della", "den", "dengan", "der", "des", "det", "di", "die", "do", "du", "een", "ei", "ein",
        "eine", "ek", "el", "en", "er", "es", "est", "et", "fi", "hai", "het", "hindi", "hogy", "ich", "ihr", "il",
        "ini", "ist", "ja", "je", "jest", "ka", "kan", "ke", "ki", "kwa", "la", "las", "le", "les", "los", "lui",
        "mai", "mit", "na", "ne", "ng", "ni", "nicht", "nie", "non", "nu", "och", "og", "om", "os", "para", "per",
        "pe", "por", "pour", "pro", "que", "qui", "sa", "se", "si", "sie", "som", "sono", "su", "sur", "szerint",
        "ta", "te", "til", "u", "um", "un", "una", "und", "une", "untuk", "uz", "van", "ve", "von", "voor",
        "w", "wa", "wir", "y", "ya", "yang", "z", "za", "ze", "zu", "zijn",
    }
)  # fmt: skip
"""Frequent words of other languages that are often written in ASCII."""


def plainly_english(words: Sequence[str]) -> bool:
    """Whether so many of the first words are English that no identifier need be asked (some 1 µs)."""
    first = words[:60]
    few = len(words) < 25
    sure = len(_ENGLISH.intersection(first))
    if sure >= (2 if few else 3):
        return True
    return sure > 0 and sure + len(_ENGLISH_AND_OTHERS.intersection(first)) >= (3 if few else 4)


def has_english(words: Sequence[str]) -> bool:
    """Whether any of the words is one of the frequent ones that only English has."""
    return not _ENGLISH.isdisjoint(words)


def plainly_foreign(words: Sequence[str]) -> bool:
    """Whether the first words hold frequent words of other languages, so that it is worth asking the identifier."""
    return len(_OTHERS.intersection(words[:60])) >= 2
