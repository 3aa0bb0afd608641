"""Views of a response that several checks need, made once for the sample at hand."""

from __future__ import annotations

from functools import cached_property

from holdfast.db.models import Sample


class Reading:
    """A response as the checks of one sample look at it; each view is made when it is first asked for."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.response: str = sample.response

    @cached_property
    def lowered(self) -> str:
        """The response in lower case; offsets may differ from those of the response."""
        return self.response.lower()

    @cached_property
    def words(self) -> list[str]:
        """The response split at white space."""
        return self.response.split()

    @cached_property
    def longest_word(self) -> int:
        """The length of the longest of `words`."""
        return max(map(len, self.words), default=0)

    @cached_property
    def ascii(self) -> bool:
        """Whether the response is made of ASCII characters alone."""
        return self.response.isascii()


_latest: Reading | None = None


def reading(sample: Sample) -> Reading:
    """The views of a sample's response; those of the sample that was last asked for are kept."""
    global _latest
    latest = _latest
    if latest is None or latest.sample is not sample:
        _latest = latest = Reading(sample)
    return latest
