"""From a request to a reply: understand, look, refuse or answer."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError
from ...files import sha256_bytes
from . import phrases
from .eyes import Eyes
from .misbehave import share
from .questions import keys_of, says_generated, schema_of
from .request import Request
from .schema import fill
from .values import READERS
from .view import Declined, View, view

# Questions whose repetitions are counted; the one asked longest ago is forgotten first.
REMEMBERED = 65536
UNDERSTOOD = (
    "I do not understand the question. I compare faces, say which candidate matches, and read gender, age, expression "
    "and presentation attacks off a face."
)


@dataclass(frozen=True)
class Reply:
    """What stands in a completion.

    Attributes:
        content: the answer, or None beside a refusal.
        refusal: why there is none.
        note: who speaks, and what else is to be said.
        finish: OpenAI's finish_reason.
        prompt_tokens, completion_tokens: for the bill, by `tokens`.
        choices: False leaves the list of choices empty.
        refused: refused because `refuse_direct` or `refuse_generated` asked for it.
        model, fingerprint: who answers, and which edition of it.
        logprobs: token and natural logarithm of its probability, or None where they are not given.
    """

    content: str | None
    refusal: str | None = None
    note: str = phrases.NOTE
    finish: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    choices: bool = True
    refused: bool = False
    model: str = phrases.NAME
    fingerprint: str = phrases.NAME
    logprobs: tuple[tuple[str, float], ...] | None = None


class Answers(Protocol):
    """Whatever a server of the protocol can stand on; called from threads."""

    def answer(self, request: Request) -> Reply:
        """The reply to a request.

        Raises:
            BadRequest: it cannot be answered, with words for the client.
        """
        ...


def tokens(text: str, pictures: Sequence[NDArray[np.uint8]] = ()) -> int:
    """A bill like OpenAI's: four letters are a token, a picture is 85 and 170 for each tile of 512 pixels."""
    tiles: int = sum(-(-p.shape[0] // 512) * -(-p.shape[1] // 512) for p in pictures)
    return -(-len(text) // 4) + 85 * len(pictures) + 170 * tiles


class Answerer:
    """Answers requests; safe from several threads.

    Args:
        eyes: what it sees with.
        refuse_direct: probability that a question about a person is refused.
        refuse_generated: the same where the words say that the person was generated.
        undecided: probability that an answer in words that is not refused does not commit itself.
        seed: of both.
    """

    def __init__(
        self, eyes: Eyes, *, refuse_direct: float = 0.0, refuse_generated: float = 0.0, undecided: float = 0.0,
        seed: int = 0,
    ) -> None:  # fmt: skip
        chances = {"refuse_direct": refuse_direct, "refuse_generated": refuse_generated, "undecided": undecided}
        for name, chance in chances.items():
            if not 0 <= chance <= 1:
                raise ParameterError(f"{name} is no probability", given=chance, expected="0 to 1")
        self.eyes = eyes
        self._chances = (refuse_direct, refuse_generated)
        self._undecided = undecided
        self._seed = seed
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, int] = OrderedDict()

    def answer(self, request: Request) -> Reply:
        """The reply to a request.

        Raises:
            BadRequest: a picture is damaged, or the schema is not understood.
        """
        pictures = request.pictures()
        names = [request.question, *request.digests]
        whim = self._whim(request, names) if request.images else ""
        if whim == "refuse":
            said = phrases.refusal(names)
            made = Reply(None, said, refused=True) if request.as_json else Reply(said, refused=True)
        elif whim == "undecided":
            made = Reply(phrases.undecided(names))
        else:
            made = self._said(request, view(self.eyes, pictures), names)
        if request.logprobs:
            made = replace(made, note=f"{made.note}; log probabilities are not given: there are none")
        return _billed(made, request, pictures)

    def _whim(self, request: Request, names: list[str]) -> str:
        """``"refuse"``, ``"undecided"`` or "", by the seed, the question and how often it was asked."""
        # The preamble is the only difference between two questions that may be asked of the same pictures.
        key = sha256_bytes("\0".join([request.context, *names]).encode("utf-8", "surrogatepass"))
        with self._lock:
            attempt = self._asked.pop(key, 0)
            self._asked[key] = attempt + 1
            if len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        if share(self._seed, "refuse", key, attempt) < self._chances[says_generated(request.context)]:
            return "refuse"
        wavers = not request.as_json and share(self._seed, "undecided", key, attempt) < self._undecided
        return "undecided" if wavers else ""

    def _said(self, request: Request, seen: View, names: list[str]) -> Reply:
        schema = request.schema
        keys = () if schema is not None else keys_of(request.question)
        try:
            if schema is None and not keys:
                raise Declined(UNDERSTOOD)
            values = fill(schema if schema is not None else schema_of(keys), seen)
        except Declined as reason:
            text = phrases.signed(reason.what)
            return Reply(None, text, note=text) if request.as_json else Reply(text)
        if request.as_json:
            note = phrases.signed(" ".join(seen.remarks)) if seen.remarks else phrases.NOTE
            return Reply(json.dumps(values), note=note)
        explained = str(READERS["explanation"](replace(seen, asked=keys, remarks=[])))
        return Reply(phrases.phrase(values, seen.remarks, explained, names))


def _billed(made: Reply, request: Request, pictures: Sequence[NDArray[np.uint8]]) -> Reply:
    said = made.content or made.refusal or ""
    most = request.most_tokens
    if made.content is not None and most is not None and tokens(said) > most:
        said = said[: 4 * most]
        made = replace(made, content=said, finish="length")
    return replace(made, prompt_tokens=tokens(request.context, pictures), completion_tokens=tokens(said))
