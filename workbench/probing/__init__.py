"""Asking vision-language models about faces over the OpenAI protocol: the only room that uses the network.

::

    from workbench import probing
    there = probing.endpoint("http://127.0.0.1:8000/v1", "workbench-responder")
    question = probing.Question(probing.prompt("age"), [probing.shown(picture)])
    asked = probing.ask_now([question], there, "answers.sqlite", dataset="phantom")
    probing.read(question, asked.records[0])  # Answer(outcome="value", value={"age": 31.0}, ...)

A refusal, an answer that cannot be used and a call without a reply are three things, and none is a wrong answer.
"""

from .asking import Asked, Clock, Patience, ask_all, ask_now, read, read_as
from .beside import Stop, Told, ask_beside
from .budget import Budget, Prices
from .client import Client, Reply
from .consent import Consent, configured, read_consents, require
from .endpoint import Endpoint, Secret, endpoint
from .failures import Failure
from .pictures import Encoding, Shown, shown, side_by_side
from .prompts import (
    FRAMINGS,
    Example,
    Prompt,
    Turn,
    attributes,
    candidates,
    exchange,
    few_shot,
    group,
    people,
    prompt,
    tasks,
    turns,
)
from .question import Question, Settings
from .store import Record, Store, export

__all__ = [
    "FRAMINGS", "Asked", "Budget", "Client", "Clock", "Consent", "Encoding", "Endpoint", "Example", "Failure",
    "Patience", "Prices", "Prompt", "Question", "Record", "Reply", "Secret", "Settings", "Shown", "Stop", "Store",
    "Told", "Turn", "ask_all", "ask_beside", "ask_now", "attributes", "candidates", "configured", "endpoint",
    "exchange", "export", "few_shot", "group", "people", "prompt", "read", "read_as", "read_consents", "require",
    "shown", "side_by_side", "tasks", "turns",
]  # fmt: skip
