"""Which language a text is written in."""

from __future__ import annotations

from collections.abc import Callable
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
    if _letters(text) < FEWEST_LETTERS:
        return None
    code, confidence = _identifier()(text)
    return (code, round(confidence, 4)) if confidence >= LEAST_CONFIDENCE else None


def name_of(code: str) -> str:
    """The English name of a language, or its code where it is not a common one."""
    return NAMES.get(code.partition("-")[0], code)


def _letters(text: str) -> int:
    return sum(3 if letter >= "\u3040" else 1 for letter in text if letter.isalpha())


@cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    """The identifier, limited to languages with a two-letter code (without: Pidgin for English, Wu for Chinese …)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    return identifier.classify  # type: ignore[no-any-return]
