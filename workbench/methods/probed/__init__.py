"""What models answered about faces, held against the truth: the field's numbers over stored answers.

::

    from workbench.methods import probed
    truth = probed.read_truth("truth.csv")                     # picture, subject, age, gender, ...
    found = probed.score("age", probed.told(store, "age"), truth, group="gender")
    found.numbers["mean absolute error"]                        # Estimate over capture subjects

Refusals, unparsed replies and transport errors are shown each by itself; none of them is a wrong answer.
"""

from .changes import consistency
from .scoring import Scored, score
from .told import BETWEEN, Told, kind_for, told, told_of
from .truth import Truth, read_truth

__all__ = ["BETWEEN", "Scored", "Told", "Truth", "consistency", "kind_for", "read_truth", "score", "told", "told_of"]
