"""What is known of models without asking anybody, in a process of its own: importing litellm takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.verifiers import llm
from holdfast.verifiers.llm import missing

PROGRAM = """
import asyncio, json, socket

def refuse(*_):
    raise AssertionError("the network was asked")

socket.getaddrinfo = socket.socket.connect = refuse
from holdfast.verifiers.llm import LiteLLM

models = LiteLLM()
asyncio.run(models.warm_up())
names = ("openai/gpt-4o-mini", "openai/nobody-knows", "perplexity/sonar", "ollama/llama3")
prices = {name: models.price(name) for name in names}
print(json.dumps({name: (price and [int(price.input), int(price.output)], models.takes_schema(name))
                  for name, price in prices.items()}))
"""


@pytest.mark.skipif(missing() is not None, reason="litellm is not installed")
def test_prices_and_abilities_are_known_without_the_network() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "openai/gpt-4o-mini": [[150, 600], True],
        "openai/nobody-knows": [None, False],
        "perplexity/sonar": [None, False],  # bills each search too
        "ollama/llama3": [[0, 0], False],
    }


def answer(**fields: Any) -> Any:
    """An answer of litellm's."""
    choice = SimpleNamespace(message=SimpleNamespace(content=fields.pop("text", "8")), finish_reason="stop")
    return SimpleNamespace(**{"choices": [choice], "model": "stub-2026", "usage": None, **fields})


@pytest.mark.parametrize("count", [10**30, 0, -5, 1.5, "7", None])
def test_a_count_of_tokens_that_cannot_be_is_none(count: object) -> None:
    reply = llm._reply(answer(usage=SimpleNamespace(prompt_tokens=count, completion_tokens=12)))
    assert (reply.tokens_in, reply.tokens_out) == (None, 12)


def test_what_a_server_says_can_be_stored_and_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KELP_API_KEY", "a-perfectly-plain-word")
    reply = llm._reply(answer(text="half \ud83d of it", model="stub\ud800 a-perfectly-plain-word"))
    assert (reply.text, reply.served) == ("half ? of it", "stub? [key]")
    assert llm._reply(answer(model=["stub"])).served == "['stub']"
    assert llm._reply(answer(model=None)).served is None
