"""The ways in which the responder can be made to fail, and when it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core import ParameterError, UnknownNameError, seeds


def _chance(name: str, what: str) -> Any:
    return field(default=0.0, metadata={"name": name, "what": what, "chance": True})


def _setting(name: str, default: float | int | str, what: str) -> Any:
    return field(default=default, metadata={"name": name, "what": what, "chance": False})


@dataclass(frozen=True)
class Misbehave:
    """Probabilities of faults, at most one of which befalls a request, and settings.

    Which fault befalls a request depends on ``seed`` and the request's number alone. `names` describes each field by
    the name that `parse` takes.
    """

    busy: float = _chance("429", "429 with Retry-After of `retry-after` seconds")
    busy_date: float = _chance("429-date", "429 with Retry-After as an HTTP date, `retry-after` seconds from now")
    busy_zero: float = _chance("429-zero", "429 with Retry-After: 0")
    busy_negative: float = _chance("429-negative", "429 with Retry-After: -5")
    busy_huge: float = _chance("429-huge", "429 with Retry-After: 1000000000")
    busy_bare: float = _chance("429-bare", "429 without Retry-After")
    broken: float = _chance("500", "500")
    unavailable: float = _chance("503", "503")
    hang: float = _chance("hang", "nothing is sent until the client leaves, at most `hang-limit` seconds")
    redirect: float = _chance("redirect", "307 to `redirect-to`")
    html: float = _chance("html", "200 with a page of HTML")
    error_body: float = _chance("error-body", "200 with an error for a body")
    huge: float = _chance("huge", "200 with a body of `huge-size` bytes, in pieces, of no stated length")
    reset: float = _chance("reset", "the connection is reset in the middle of the body")
    drip: float = _chance("drip", "the body comes byte by byte, `drip-seconds` apart")
    cut: float = _chance("cut", "half of the body, as if it were whole")
    no_choices: float = _chance("no-choices", "choices is an empty list")
    null: float = _chance("null", "content is null")
    rubbish: float = _chance("rubbish", "content is Unicode rubbish, with a lone surrogate")
    length: float = _chance("length", "half of the content, finish_reason length")
    filtered: float = _chance("filter", "no content, finish_reason content_filter")
    refusal: float = _chance("refusal", "message.refusal instead of content")
    retry_after: int = _setting("retry-after", 1, "seconds")
    hang_limit: float = _setting("hang-limit", 60.0, "seconds")
    huge_size: int = _setting("huge-size", 100_000_000, "bytes")
    drip_seconds: float = _setting("drip-seconds", 1.0, "seconds")
    redirect_to: str = _setting("redirect-to", "http://elsewhere.invalid/v1/chat/completions", "an address")
    rate: float = _setting("rate", 0.0, "requests per second, beyond which 429 is said with the right Retry-After")
    delay: float = _setting("delay", 0.0, "seconds before every answer")
    delay_random: float = _setting("delay-random", 0.0, "up to so many seconds more")
    seed: int = _setting("seed", 0, "of all of this")

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.metadata["chance"] and not 0 <= value <= 1:
                raise ParameterError(f"{f.metadata['name']} is no probability", given=value, expected="0 to 1")
            # `not >=` refuses NaN too.
            if not isinstance(value, str) and f.name != "seed" and not 0 <= value < float("inf"):
                raise ParameterError(f"{f.metadata['name']} is no length", given=value, expected="0 or more")
        if (total := sum(self._chances().values())) > 1 + 1e-9:
            raise ParameterError("faults are more likely than certain", given=total, expected="a sum of at most 1")

    def _chances(self) -> dict[str, float]:
        return {f.metadata["name"]: getattr(self, f.name) for f in dataclasses.fields(self) if f.metadata["chance"]}

    @classmethod
    def names(cls) -> Mapping[str, str]:
        """Every name that `parse` knows, and what it does."""
        return {f.metadata["name"]: f.metadata["what"] for f in dataclasses.fields(cls)}

    @classmethod
    def parse(cls, text: str) -> Misbehave:
        """From ``"429=0.1,500=0.05,rate=20"``; an empty text is good behaviour.

        Raises:
            UnknownNameError: a name that is not in `names`.
            ParameterError: a value that is no number or out of range, or a name said twice.
        """
        fields = {f.metadata["name"]: f for f in dataclasses.fields(cls)}
        chosen: dict[str, Any] = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            name, equals, value = (s.strip() for s in part.partition("="))
            if not equals:
                raise ParameterError("misbehaviour is written NAME=VALUE", given=part, expected="429=0.1,500=0.05")
            if name not in fields:
                raise UnknownNameError("misbehaviour", name, fields)
            if fields[name].name in chosen:
                raise ParameterError(f"{name} is said twice", given=text)
            kind: Any = type(fields[name].default)
            try:
                chosen[fields[name].name] = kind(value)
            except ValueError:
                number = "a whole number" if kind is int else "a number"
                raise ParameterError(f"{name} takes {number}", given=value) from None
        return cls(**chosen)

    def fault(self, number: int) -> str:
        """Name of the fault that befalls request ``number``, "" for none."""
        left = share(self.seed, "fault", number)
        for name, chance in self._chances().items():
            if left < chance:
                return name
            left -= chance
        return ""

    def wait(self, number: int) -> float:
        """Seconds that request ``number`` is delayed."""
        return self.delay + self.delay_random * share(self.seed, "delay", number)


def share(seed: int, *names: str | int) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    return seeds.integer("responder", seed, *names) / 2**63


@dataclass
class Bucket:
    """A token bucket: ``rate`` requests per second, and at once as many as come in a second (at least one).

    Attributes:
        rate: requests per second.
        left: tokens that are there.
        at: when that was, seconds.
    """

    rate: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> float:
        """Take a token at ``now`` seconds: 0, or how many seconds to wait for one."""
        most = max(1.0, self.rate)
        self.left = most if self.left < 0 else min(most, self.left + (now - self.at) * self.rate)
        self.at = now
        # A client that waits as long as it was told must not fail for a rounding error.
        if self.left >= 1 - 1e-9:
            self.left -= 1
            self.left = max(self.left, 0.0)
            return 0.0
        return (1 - self.left) / self.rate
