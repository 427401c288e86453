"""Who is compared with whom, drawn by named seeds where a data set has no list of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core import DataError, Trials, seeds


def codes(subjects: NDArray[np.str_]) -> NDArray[np.int64]:
    """Capture subjects as numbers, in the order of their names."""
    return np.unique(subjects, return_inverse=True)[1].astype(np.int64)


def every_pair(subjects: NDArray[np.str_], name: str = "") -> Trials:
    """Every two samples, once.

    Args:
        subjects: capture subject of each sample.
        name: of the trials.
    """
    subject = codes(subjects)
    reference, probe = (side.astype(np.int64) for side in np.triu_indices(len(subject), 1))
    sides = np.stack([subject[reference], subject[probe]], axis=1)
    return Trials(reference, probe, sides[:, 0] == sides[:, 1], sides, None, name)


def balanced(subjects: NDArray[np.str_], *names: str | int, most: int = 3000) -> Trials:
    """As many mated as non-mated trials, without repetition.

    Every subject with two pictures or more gives mated trials; non-mated ones are drawn evenly over pairs of
    subjects.

    Args:
        subjects: capture subject of each sample.
        *names: of the seed.
        most: of each kind.

    Raises:
        DataError: no subject has two pictures, or there is only one subject.
    """
    subject = codes(subjects)
    rng = seeds.rng("protocol", "balanced", *names)
    first, second = np.triu_indices(len(subject), 1)
    same = subject[first] == subject[second]
    if not same.any() or same.all():
        raise DataError(
            "verification needs two pictures of one person, and two people",
            given=f"{len(subject)} pictures of {len(set(subject.tolist()))} people",
            do="add pictures: one folder per person, two pictures or more in some",
        )
    count = min(most, int(same.sum()), int((~same).sum()))
    drawn = [rng.choice(np.flatnonzero(kind), count, replace=False) for kind in (same, ~same)]
    picked = np.sort(np.concatenate(drawn))
    reference, probe = first[picked], second[picked]
    pairs = np.stack([subject[reference], subject[probe]], axis=1)
    return Trials(reference, probe, same[picked], pairs, None, "balanced")


def subject_folds(trials: Trials, folds: int, *names: str | int) -> NDArray[np.int64]:
    """A fold for each trial so that no capture subject is in two folds; -1 where a pair straddles two.

    Args:
        trials: what is divided.
        folds: how many.
        *names: of the seed.
    """
    subjects = np.unique(trials.subjects)
    fold_of = seeds.rng("protocol", "folds", *names).permutation(len(subjects)) % folds
    sides = fold_of[np.searchsorted(subjects, trials.subjects)]
    return np.where(sides[:, 0] == sides[:, 1], sides[:, 0], -1).astype(np.int64)


def stratified(strata: NDArray[np.int64], count: int, *names: str | int) -> NDArray[np.int64]:
    """``count`` of the units, drawn so that every stratum keeps its share to within one unit, in rising order.

    Args:
        strata: ``(n,)`` stratum of each unit.
        count: at most ``n``.
        *names: of the seed.
    """
    rng = seeds.rng("protocol", "stratified", *names)
    # A systematic sample of units that are shuffled within their strata.
    order = np.lexsort((rng.random(len(strata)), strata))
    steps = (np.arange(count) + rng.random()) * len(strata) / max(1, count)
    return np.sort(order[np.minimum(steps.astype(np.int64), len(strata) - 1)])
