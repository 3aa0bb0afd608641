"""What is known of models without asking anybody, in a process of its own: importing litellm takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
