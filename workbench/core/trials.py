"""Trials (who is compared with whom), the scores that an arm gives them, and measurements per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError
from .values import Number


@dataclass(frozen=True)
class Trials:
    """``n`` comparisons of a reference with a probe.

    Attributes:
        reference, probe: ``int64 (n,)`` indices into the samples.
        mated: ``bool (n,)``, True where both show the same capture subject.
        subjects: ``int64 (n, 2)`` codes of the reference's and the probe's capture subject; what the
            bootstrap resamples.
        fold: ``int64 (n,)`` fold numbers from 0, or None where the protocol has no folds.
        name: protocol, e.g. ``"lfw/view2"``.
    """

    reference: NDArray[np.int64]
    probe: NDArray[np.int64]
    mated: NDArray[np.bool_]
    subjects: NDArray[np.int64]
    fold: NDArray[np.int64] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        n = len(self.reference)
        shapes = {"probe": (n,), "mated": (n,), "subjects": (n, 2)}
        if self.fold is not None:
            shapes["fold"] = (n,)
        for what, shape in shapes.items():
            if getattr(self, what).shape != shape:
                raise ShapeError(
                    f"trials {self.name!r}: {what} has the wrong shape",
                    given=getattr(self, what).shape,
                    expected=shape,
                )
        if np.any(self.mated != (self.subjects[:, 0] == self.subjects[:, 1])):
            raise ShapeError(
                f"trials {self.name!r}: mated disagrees with the capture subjects",
                expected="mated exactly where reference and probe show the same subject",
            )

    def __len__(self) -> int:
        return len(self.reference)

    def subset(self, which: NDArray[np.bool_] | NDArray[np.integer]) -> Trials:
        """The trials at a mask or at indices."""
        return Trials(
            self.reference[which],
            self.probe[which],
            self.mated[which],
            self.subjects[which],
            None if self.fold is None else self.fold[which],
            self.name,
        )


@dataclass(frozen=True)
class Scores:
    """One arm's comparison scores on trials; higher is more similar.

    Attributes:
        arm: name of the method or model that gave them.
        trials: what was compared.
        values: ``float64 (n,)``; finite where ``acquired``, NaN elsewhere.
        acquired: ``bool (n,)``, False where reference or probe failed to acquire.
    """

    arm: str
    trials: Trials
    values: NDArray[np.float64]
    acquired: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.trials)
        if self.values.shape != (n,) or self.acquired.shape != (n,):
            raise ShapeError(
                f"scores of {self.arm!r} do not fit their trials",
                given=(self.values.shape, self.acquired.shape),
                expected=(n,),
            )
        bad = int(np.sum(~np.isfinite(self.values[self.acquired])))
        if bad:
            raise ShapeError(
                f"scores of {self.arm!r} are not finite on {bad} acquired trials",
                expected="finite scores; a failure to acquire is said by acquired=False",
                do="check the embeddings for NaN and zero norm",
            )

    @property
    def failures(self) -> int:
        """How many trials have no score because a sample failed to acquire."""
        return int(np.sum(~self.acquired))


@dataclass(frozen=True)
class Measurements:
    """One arm's value of one quantity for each unit (pair, face, video), for paired claims.

    Attributes:
        arm: name of the method.
        values: ``float64 (n,)``; NaN where the quantity is not defined for that unit, which is counted.
        subjects: ``int64 (n, k)`` capture subjects that each unit shows, ``k`` >= 1; repeat a code where
            a unit shows fewer.
        bounds: lowest and highest value that any unit could have, or None: (0, 1) of a share. Where all units are
            alike, resampling says nothing, and the interval comes from these.
    """

    arm: str
    values: NDArray[np.float64]
    subjects: NDArray[np.int64]
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        n = len(self.values)
        if self.bounds is not None and np.any((self.values < self.bounds[0]) | (self.values > self.bounds[1])):
            raise ShapeError(
                f"measurements of {self.arm!r} leave their bounds",
                given=(float(np.nanmin(self.values)), float(np.nanmax(self.values))),
                expected=f"from {self.bounds[0]:g} to {self.bounds[1]:g}",
            )
        if self.values.ndim != 1 or self.subjects.ndim != 2 or len(self.subjects) != n:
            raise ShapeError(
                f"measurements of {self.arm!r} do not fit together",
                given=(self.values.shape, self.subjects.shape),
                expected="values (n,) and subjects (n, k)",
            )

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Resampled:
    """One arm's value of a statistic that is no mean over units (an equal error rate, an area), for paired claims.

    Attributes:
        arm: name of the method.
        value: of all units, or why there is none.
        drawn: ``float64 (resamples,)`` the same of resampled capture subjects, NaN where it is undefined. Place ``i``
            of every arm of a quantity belongs to the same draw: that is what pairs them.
        draw: what was drawn and how often, in words; arms that are compared share it.
        counts: what it rests on; ``"subjects"`` among them: how many units were drawn from.
        over: what is drawn, in words.
    """

    arm: str
    value: Number
    drawn: NDArray[np.float64]
    draw: str
    counts: Mapping[str, int] = field(default_factory=dict)
    over: str = "capture subjects"

    def __post_init__(self) -> None:
        if self.drawn.ndim != 1 or "subjects" not in self.counts:
            raise ShapeError(
                f"the resamples of {self.arm!r} do not fit",
                given=(self.drawn.shape, ", ".join(self.counts)),
                expected="drawn (resamples,) and counts with 'subjects'",
            )
