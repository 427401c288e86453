"""Face parsing: intersection over union and F1 of each class, over all pixels of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import Number, ShapeError, Undefined

ABSENT = "in no mask and in no answer"


@dataclass(frozen=True)
class Parsed:
    """Measures of every class.

    Attributes:
        iou, f1: by class name; undefined for a class that is nowhere.
        mean_iou, mean_f1: over the defined classes.
        rule: in words, with the classes that were left out.
    """

    iou: dict[str, Number]
    f1: dict[str, Number]
    mean_iou: Number
    mean_f1: Number
    rule: str


def parsing_scores(
    found: NDArray[np.integer], true: NDArray[np.integer], classes: Sequence[str], *, ignore: Sequence[str] = ()
) -> Parsed:
    """Measures over all pixels of all pictures together (not the mean over pictures).

    Args:
        found: class codes ``(n, h, w)``.
        true: class codes ``(n, h, w)``.
        classes: names by code.
        ignore: classes whose true pixels do not count, e.g. background.
    """
    if found.shape != true.shape:
        raise ShapeError("masks do not fit", given=(found.shape, true.shape), expected="one shape")
    k = len(classes)
    for name in ignore:
        if name not in classes:
            raise ShapeError("unknown class", given=name, expected=", ".join(classes))
    used = ~np.isin(true, [classes.index(n) for n in ignore])
    one, other = found[used].astype(np.int64), true[used].astype(np.int64)
    if one.size and not (min(one.min(), other.min()) >= 0 and max(one.max(), other.max()) < k):
        raise ShapeError(
            "a mask has a class without a name", given=int(max(one.max(), other.max())), expected=f"0 to {k - 1}"
        )
    table = np.bincount(other * k + one, minlength=k * k).reshape(k, k)
    both, either = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    judged = [i for i, name in enumerate(classes) if name not in ignore]
    none = Undefined(ABSENT)
    iou: dict[str, Number] = {classes[i]: float(both[i] / (either[i] - both[i])) if either[i] else none for i in judged}
    f1: dict[str, Number] = {classes[i]: float(2 * both[i] / either[i]) if either[i] else none for i in judged}
    left = [n for n, v in iou.items() if isinstance(v, Undefined)]
    rule = "over all pixels of the set; mean over classes" + (f", without {', '.join(left)} ({ABSENT})" if left else "")
    return Parsed(iou, f1, _mean(iou), _mean(f1), rule)


def _mean(values: dict[str, Number]) -> Number:
    defined = [float(v) for v in values.values() if not isinstance(v, Undefined)]
    return float(np.mean(defined)) if defined else Undefined("no class is there")
