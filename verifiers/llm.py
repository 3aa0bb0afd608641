"""litellm, which this module alone imports: one call, its failures without keys, prices, names of models."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from holdfast.verifiers.calls import CallFailed, Price, Reply, Request, nano

_SEARCHES_ALWAYS = ("perplexity",)
"""Providers whose models search at every call, for a price of its own."""

_LONGEST_NAME = 200
_MOST_TOKENS = 10**7
"""More than any model reads or writes: a count beyond is a mistake."""


class LiteLLM:
    """litellm as a transport; importing it takes seconds, so a process makes one of these at most."""

    def __init__(self) -> None:
        # Else it asks the network for prices when it is imported.
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        litellm.suppress_debug_info = True
        litellm.drop_params = True  # reasoning models take no temperature
        litellm.telemetry = False
        self._litellm = litellm

    async def __call__(self, request: Request, timeout: float) -> Reply:
        """Send a request once; CallFailed names what went wrong, without keys."""
        response_format = {"response_format": request.schema} if request.schema else {}
        try:
            answer = await self._litellm.acompletion(
                model=request.model,
                messages=request.plain_messages,
                temperature=0,
                max_tokens=request.max_tokens,
                timeout=timeout,
                num_retries=0,
                max_retries=0,
                **response_format,
            )
        except Exception as error:
            raise failure_of(error) from None
        return _reply(answer)

    async def warm_up(self) -> None:
        """Load what litellm loads at its first call, without calling anybody."""
        with suppress(Exception):
            await self._litellm.acompletion(
                model="openai/none", messages=[{"role": "user", "content": ""}], mock_response="ok", api_key="none"
            )

    def takes_schema(self, model: str) -> bool:
        """Whether the model is known to answer by a JSON schema."""
        return bool(self._litellm.supports_response_schema(model=model))

    def price(self, model: str) -> Price | None:
        """What litellm knows of the model's price; None where it does not know all of it."""
        try:
            known = self._litellm.model_cost[self._litellm.get_model_info(model)["key"]]
        except Exception:  # litellm raises a bare Exception for a model that it does not know
            return None
        if known.get("litellm_provider") in _SEARCHES_ALWAYS:
            return None
        input, output = known.get("input_cost_per_token"), known.get("output_cost_per_token")
        if input is None or output is None:
            return None
        thinking = known.get("output_cost_per_reasoning_token") or 0
        return Price(nano(input), nano(max(output, thinking)))


def missing() -> str | None:
    """Why no model can be called here and what to do about it; None where litellm is installed."""
    if find_spec("litellm") is not None:
        return None
    return "judges need litellm, which is not installed: pip install 'holdfast[models]'"


def failure_of(error: Exception) -> CallFailed:
    """What an exception of litellm means for the call."""
    status = getattr(error, "status_code", None)
    causes = [type(one).__name__ for one in _chain(error)]
    answered = "HTTPStatusError" in causes or (isinstance(status, int) and 400 <= status < 500 and status != 408)
    refused = any(name in ("ConnectError", "ConnectTimeout", "ClientConnectorError") for name in causes)
    message = scrubbed(f"{type(error).__name__}: {error}")[:500]
    if answered and status in (401, 402, 403, 404):
        return CallFailed(message, fatal=True)
    if answered and isinstance(status, int) and status < 500 and status not in (408, 409, 425, 429):
        return CallFailed(message)
    return CallFailed(message, again=True, wait=_retry_after(error), billed=not answered and not refused)


def scrubbed(text: str) -> str:
    """A text without anything that is, or looks like, a key."""
    return _KEY.sub(lambda found: f"{found[1] or ''}[key]", _without_own_keys(text))


def _without_own_keys(text: str) -> str:
    for name, value in os.environ.items():
        if len(value) >= 8 and value in text and _SECRET.search(name):
            text = text.replace(value, "[key]")
    return text


_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
_KEY = re.compile(
    r"(\b(?:bearer|basic|x-api-key|api[-_ ]?key)\b[\"':= ]{1,4})[^\s\"',}]{6,}"
    r"|\b(?:(?:sk|pk|rk|gsk|xai|hf|key)[-_]|AIza)[\w*-]{8,}"
    r"|(?<=://)[^\s/@]{1,200}(?=@)",
    re.IGNORECASE,
)


def _reply(answer: Any) -> Reply:
    if not answer.choices:
        raise CallFailed("the answer holds no choice", again=True, billed=True)
    choice = answer.choices[0]
    usage = getattr(answer, "usage", None)
    return Reply(
        text=_storable(choice.message.content or ""),
        served=_storable(str(answer.model))[:_LONGEST_NAME] if answer.model else None,
        finish=choice.finish_reason,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
    )


def _storable(text: str) -> str:
    """What a server says, without halves of surrogate pairs, which are no characters, and without the user's keys."""
    return _without_own_keys(text.encode(errors="replace").decode())


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and 0 < value <= _MOST_TOKENS else None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and len(found) < 10:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _retry_after(error: Exception) -> float | None:
    for headers in (getattr(error, "litellm_response_headers", None), getattr(error, "response", None)):
        value = getattr(headers, "headers", headers)
        try:
            return max(0.0, float(value["retry-after"])) if value else None
        except (KeyError, TypeError, ValueError):
            continue
    return None
