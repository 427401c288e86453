"""One question to one model, and the key under which its answer is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import files
from ..core import ParameterError
from .pictures import Shown
from .prompts import Prompt, Turn


@dataclass(frozen=True)
class Settings:
    """What changes a model's answer besides the question.

    Attributes:
        temperature: None leaves the server's own.
        seed: passed on; no server promises the same answer.
        most_tokens: of the answer.
        logprobs: ask for them.
        structured: ask for JSON that fits the kind's schema.

    Raises:
        ParameterError: no tokens for an answer, which a budget would count as gain, or a temperature below 0.
    """

    temperature: float | None = 0.0
    seed: int | None = None
    most_tokens: int = 300
    logprobs: bool = False
    structured: bool = False

    def __post_init__(self) -> None:
        if self.most_tokens < 1:
            raise ParameterError("an answer has tokens", given=self.most_tokens, expected="most_tokens of 1 or more")
        if self.temperature is not None and not 0 <= self.temperature < float("inf"):
            raise ParameterError("this is no temperature", given=self.temperature, expected="0 or more, or None")


@dataclass(frozen=True)
class Question:
    """A prompt with its pictures.

    Attributes:
        prompt: the words.
        pictures: in the order in which they are sent.
        name: the caller's own; it is neither sent nor part of the key.
        attempt: 0 for the first time of asking; asking again is another question.
    """

    prompt: Prompt
    pictures: Sequence[Shown]
    name: str = ""
    attempt: int = 0

    def key(self, model: str, settings: Settings, host: str = "") -> str:
        """SHA-256 of all that changes the answer.

        Args:
            model: name of the model.
            settings: of it.
            host: the server elsewhere, whose model of that name is not another's; "" on this machine.
        """
        p = self.prompt
        said: dict[str, object] = {
            "model": model, "task": p.task, "version": p.version, "framing": p.framing, "text": p.asked,
            "before": [_of_turn(turn) for turn in p.turns], "pictures": [s.digest for s in self.pictures],
            "encodings": [[s.encoding.longest, s.encoding.quality] for s in self.pictures], "attempt": self.attempt,
            "settings": [settings.temperature, settings.seed, settings.most_tokens, settings.logprobs,
                         settings.structured],
            "schema": p.kind.schema() if settings.structured else None,
        }  # fmt: skip
        if host:
            said["host"] = host
        return files.sha256_bytes(files.to_json(said).encode())

    def tokens(self, settings: Settings) -> int:
        """What it may cost at most: text by three characters a token, pictures by OpenAI's tiles, the whole answer."""
        before = self.prompt.turns
        words = len(self.prompt.text) + sum(len(t.text) for t in before) + 200
        shown = [*self.pictures, *(p for t in before for p in t.pictures)]
        pictures = sum(85 + 170 * (-(-s.encoding.longest // 512)) ** 2 for s in shown)
        return words // 3 + pictures + settings.most_tokens

    def datasets(self, own: str) -> tuple[str, ...]:
        """Data sets whose pictures are sent: the question's ``own``, and those of examples."""
        others = (t.dataset for t in self.prompt.turns if t.pictures and t.dataset)
        return tuple(dict.fromkeys((own, *others)))


def _of_turn(turn: Turn) -> list[object]:
    """What of a turn changes the answer; one without pictures is what it was before there were any."""
    shown = [[s.digest, s.encoding.longest, s.encoding.quality] for s in turn.pictures]
    return [turn.role, turn.text, *([shown] if shown else [])]
