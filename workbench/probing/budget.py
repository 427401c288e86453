"""What may be spent: checked before a question is sent, settled when its answer is there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..core import BudgetError, ParameterError


def _check(what: str, *numbers: float) -> None:
    if not all(math.isfinite(n) and n >= 0 for n in numbers):
        raise ParameterError(f"{what} cannot be counted", given=", ".join(map(str, numbers)), expected="0 or more")


@dataclass(frozen=True)
class Prices:
    """Money for a million tokens, in the server's currency.

    Raises:
        ParameterError: below 0, or no number: by such prices everything fits into a budget.
    """

    input: float = 0.0
    output: float = 0.0

    def __post_init__(self) -> None:
        _check("prices of tokens", self.input, self.output)


class Budget:
    """Limits on calls, tokens and money; None is no limit. For one event loop.

    What a call may cost is an estimate: pictures count differently at every server. Where one cost more than was set
    aside for it, as much more is set aside for those that follow.

    Args:
        calls: requests, those that fail included.
        tokens: read and written.
        money: by ``prices``.
        prices: of tokens.

    Raises:
        ParameterError: a limit is below 0, or no number.
    """

    def __init__(
        self, calls: int | None = None, tokens: int | None = None, money: float | None = None,
        prices: Prices = Prices(),
    ) -> None:  # fmt: skip
        _check("a budget", *(limit for limit in (calls, tokens, money) if limit is not None))
        self.limits = {"calls": calls, "tokens": tokens, "money": money}
        self.prices = prices
        self.spent: dict[str, float] = {"calls": 0, "tokens": 0, "money": 0.0}
        self._reserved: dict[str, float] = {"tokens": 0, "money": 0.0}
        self._dearer: dict[str, float] = {"tokens": 1, "money": 1.0}

    @property
    def priced(self) -> bool:
        """Whether more than calls is limited, so that it matters what one costs."""
        return self.limits["tokens"] is not None or self.limits["money"] is not None

    def cost(self, given: int, written: int) -> float:
        """Money for tokens."""
        return (given * self.prices.input + written * self.prices.output) / 1e6

    def reserve(self, given: int, written: int) -> Reservation:
        """Set aside what a call may cost at most.

        Raises:
            BudgetError: it would exceed a limit; nothing is set aside.
        """
        estimate = {"tokens": given + written, "money": self.cost(given, written)}
        wanted = {"calls": 1, **{name: most * self._dearer[name] for name, most in estimate.items()}}
        for name, limit in self.limits.items():
            used = self.spent[name] + self._reserved.get(name, 0)
            if limit is not None and used + wanted[name] > limit * (1 + 1e-12):
                raise BudgetError(
                    f"the budget of {name} does not allow another call",
                    given=f"{used:g} used or set aside, {wanted[name]:g} more", expected=f"at most {limit:g}",
                    do="raise it, or have fewer calls under way, and run again: what is answered is kept",
                )  # fmt: skip
        self.spent["calls"] += 1
        for name in self._reserved:
            self._reserved[name] += wanted[name]
        return Reservation(wanted["tokens"], wanted["money"], estimate)

    def settle(self, held: Reservation, given: int | None, written: int | None) -> None:
        """Count what a call cost; where the server did not say, what was set aside."""
        self._reserved["tokens"] -= held.tokens
        self._reserved["money"] -= held.money
        if given is None or written is None:
            self.spent["tokens"] += held.tokens
            self.spent["money"] += held.money
            return
        for name, used in (("tokens", given + written), ("money", self.cost(given, written))):
            self.spent[name] += used
            if held.estimate[name] > 0:
                self._dearer[name] = max(self._dearer[name], used / held.estimate[name])


@dataclass(frozen=True)
class Reservation:
    """What is set aside for one call; ``estimate`` is what it was thought to cost before anything was learnt."""

    tokens: float
    money: float
    estimate: dict[str, float]
