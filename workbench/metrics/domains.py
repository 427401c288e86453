"""Sums and means of estimates: cross-domain averages, with the interval of independent parts.

The interval is recovered from the parts' own (Zou and Donner 2008, "Construction of confidence limits about effect
measures", Statistics in Medicine 27: MOVER): for ``sum c_i x_i`` the lower end lies ``sqrt(sum d_i^2)`` below, with
``d_i`` the distance from ``c_i x_i`` to that end of its interval. Parts are taken as independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core import Estimate, ShapeError, Undefined


@dataclass(frozen=True)
class AcrossDomains:
    """A mean over domains with every domain beside it.

    Attributes:
        mean: of the domains' values; undefined where one of them is.
        worst: name of the domain with the highest value; ``""`` where the mean is undefined.
        domains: the estimate of each domain.
    """

    mean: Estimate
    worst: str
    domains: Mapping[str, Estimate]


def weighted_sum(parts: Sequence[Estimate], weights: Sequence[float], rule: str, *, constant: float = 0.0) -> Estimate:
    """``constant + sum weights[i] parts[i]``, with the interval recovered from those of the parts.

    Args:
        parts: independent estimates at one confidence level.
        weights: of each; may be negative.
        rule: the sum in words.
        constant: without uncertainty.

    Returns:
        Undefined where a part is; without interval where a part has none.
    """
    if len(parts) != len(weights) or not parts:
        raise ShapeError("parts and weights do not fit", given=(len(parts), len(weights)), expected="equal, at least 1")
    level, unit = parts[0].level, parts[0].unit
    if any(p.level != level for p in parts):
        raise ShapeError("intervals of several levels", given=[p.level for p in parts], expected="one level")
    counts = {"parts": len(parts)}
    for part in parts:
        if isinstance(part.value, Undefined):
            return Estimate(part.value, rule=rule, counts=counts, unit=unit, level=level)
    values = [float(p.value) for p in parts]
    total = constant + math.fsum(w * v for w, v in zip(weights, values, strict=True))
    below = above = 0.0
    for part, value, weight in zip(parts, values, weights, strict=True):
        if not isinstance(part.low, float) or not isinstance(part.high, float):
            missing = next((e for e in (part.low, part.high) if isinstance(e, Undefined)), None)
            return Estimate(total, missing, missing, rule, counts, unit, level)
        ends = sorted((weight * (part.low - value), weight * (part.high - value)))
        below, above = below + min(ends[0], 0.0) ** 2, above + max(ends[1], 0.0) ** 2
    rule += "; interval recovered from the parts' own (MOVER), parts taken as independent"
    return Estimate(total, total - math.sqrt(below), total + math.sqrt(above), rule, counts, unit, level)


def across_domains(domains: Mapping[str, Estimate], *, protocol: str = "leave one domain out") -> AcrossDomains:
    """The plain mean over domains, each listed.

    Args:
        domains: one measure on each test domain, e.g. HTER on the domain left out of training.
        protocol: in words.

    Returns:
        An undefined domain makes the mean undefined: it is never averaged away.
    """
    if not domains:
        none = Undefined("no domains", {"domains": 0})
        return AcrossDomains(Estimate(none, rule=f"mean over domains, {protocol}", counts={"domains": 0}), "", {})
    listed = ", ".join(f"{name} {estimate}" for name, estimate in domains.items())
    rules = list(dict.fromkeys(e.rule for e in domains.values()))
    rule = f"mean over {len(domains)} domains, {protocol}: {listed}"
    undefined = [name for name, e in domains.items() if not e.defined]
    counts = {"domains": len(domains), "undefined": len(undefined)}
    if undefined:
        reason = Undefined(f"undefined on {', '.join(undefined)}", counts)
        return AcrossDomains(Estimate(reason, rule=rule, counts=counts), "", dict(domains))
    mean = weighted_sum(list(domains.values()), [1 / len(domains)] * len(domains), rule)
    worst = max(domains, key=lambda name: float(domains[name]))
    text = f"{mean.rule}; of each: {rules[0]}" if len(rules) == 1 else f"{mean.rule}; rules of the domains differ"
    return AcrossDomains(
        Estimate(mean.value, mean.low, mean.high, text, counts, mean.unit, mean.level), worst, dict(domains)
    )  # fmt: skip
