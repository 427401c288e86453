"""What may be spent: checked before a question is sent, settled when its answer is there."""

from __future__ import annotations

from dataclasses import dataclass

from ..core import BudgetError


@dataclass(frozen=True)
class Prices:
    """Money for a million tokens, in the server's currency."""

    input: float = 0.0
    output: float = 0.0


class Budget:
    """Limits on calls, tokens and money; None is no limit. For one event loop.

    Args:
        calls: requests, those that fail included.
        tokens: read and written.
        money: by ``prices``.
        prices: of tokens.
    """

    def __init__(
        self, calls: int | None = None, tokens: int | None = None, money: float | None = None,
        prices: Prices = Prices(),
    ) -> None:  # fmt: skip
        self.limits = {"calls": calls, "tokens": tokens, "money": money}
        self.prices = prices
        self.spent: dict[str, float] = {"calls": 0, "tokens": 0, "money": 0.0}
        self._reserved: dict[str, float] = {"tokens": 0, "money": 0.0}

    def cost(self, given: int, written: int) -> float:
        """Money for tokens."""
        return (given * self.prices.input + written * self.prices.output) / 1e6

    def reserve(self, given: int, written: int) -> Reservation:
        """Set aside what a call may cost at most.

        Raises:
            BudgetError: it would exceed a limit; nothing is set aside.
        """
        wanted = {"calls": 1, "tokens": given + written, "money": self.cost(given, written)}
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
        return Reservation(wanted["tokens"], wanted["money"])

    def settle(self, held: Reservation, given: int | None, written: int | None) -> None:
        """Count what a call cost; where the server did not say, what was set aside."""
        self._reserved["tokens"] -= held.tokens
        self._reserved["money"] -= held.money
        known = given is not None and written is not None
        self.spent["tokens"] += (given or 0) + (written or 0) if known else held.tokens
        self.spent["money"] += self.cost(given or 0, written or 0) if known else held.money


@dataclass(frozen=True)
class Reservation:
    """What is set aside for one call."""

    tokens: float
    money: float
