"""The detectors of detect-secrets (Apache-2.0) that look for a form; its keyword and entropy ones are too eager."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from holdfast.verifiers.format.personal_patterns import Found
from holdfast.verifiers.format.secret_patterns import masked

_DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector",
    "IbmCosHmacDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
_LONGEST_LINE = 4_000


def library_secrets_in(text: str) -> Iterator[Found]:
    """The secrets that the library finds, at their places; ModuleNotFoundError where it is not installed."""
    detectors = _detectors()
    start = 0
    for line in text.split("\n"):
        for detector in detectors:
            for secret in sorted(set(detector.analyze_string(line[:_LONGEST_LINE]))):
                at = start + line.find(secret)
                if secret and at >= start:
                    yield Found("secret", (at, at + len(secret)), f"a secret ({detector.secret_type})", masked(secret))
        start += len(line) + 1


@cache
def _detectors() -> list[Any]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    found = {plugin.__name__: plugin for plugin in plugins.values()}
    return [found[name]() for name in _DETECTORS if name in found]
