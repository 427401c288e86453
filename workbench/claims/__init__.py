"""A paper's claims as objects that every run tests."""

from .claim import PILLARS, SCALES, Claim, Comparison, Study
from .verdict import compare, judge

__all__ = ["PILLARS", "SCALES", "Claim", "Comparison", "Study", "compare", "judge"]
