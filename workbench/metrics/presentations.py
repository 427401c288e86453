"""Bona fide and attack presentations with their scores, thresholds that say where they come from, and the words.

ISO/IEC 30107-3: a presentation is bona fide or an attack; attacks of one kind are a presentation attack instrument
species; errors are counted per species. The same arithmetic serves morphing attack detection (ISO/IEC 20059) and
forged media with other words (`Terms`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Number, ShapeError, Undefined, UnknownNameError
from .steps import Floats, shares

NonResponse = Literal["exclude", "attack"]
Across = Literal["worst", "pooled", "mean"]
ACROSS = ("worst", "pooled", "mean")


@dataclass(frozen=True)
class Presentations:
    """One detector's scores of ``n`` presentations; higher is more bona fide, accepted when score >= threshold.

    Attributes:
        name: data and subset, e.g. ``"oulu/p1/test"``; thresholds remember it.
        values: ``float64 (n,)`` scores, finite where ``acquired``.
        bonafide: ``bool (n,)``.
        species: ``str (n,)`` attack instrument species of each attack, ``""`` for bona fide presentations.
        subjects: ``(n,)`` codes or names of capture subjects or sessions; what the bootstrap resamples.
        acquired: ``bool (n,)``, False for a non-response; None where everything responded.
    """

    name: str
    values: Floats
    bonafide: NDArray[np.bool_]
    species: NDArray[np.str_]
    subjects: NDArray[Any]
    acquired: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n = len(self.values)
        for what in ("values", "bonafide", "species", "subjects", "acquired"):
            array = getattr(self, what)
            if array is not None and array.shape != (n,):
                raise ShapeError(f"{self.name!r}: {what} has the wrong shape", given=array.shape, expected=(n,))
        if self.bonafide.dtype != bool:
            raise ShapeError(f"{self.name!r}: bonafide is not boolean", given=self.bonafide.dtype, expected="bool")
        bad = int(np.sum(~np.isfinite(self.values[self.responded])))
        if bad:
            raise ShapeError(
                f"scores of {self.name!r} are not finite on {bad} presentations",
                expected="finite scores; a non-response is said by acquired=False",
            )
        wrong = int(np.sum((self.species == "") != self.bonafide))
        if wrong:
            raise ShapeError(
                f"{self.name!r}: species and bonafide disagree on {wrong} presentations",
                expected="a species name for every attack, '' for every bona fide presentation",
            )

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of_attack_scores(
        cls, name: str, scores: Floats, attack: NDArray[np.bool_], species: NDArray[np.str_] | str,
        subjects: NDArray[Any], acquired: NDArray[np.bool_] | None = None,
    ) -> Presentations:  # fmt: skip
        """From scores where higher is more attack: they are negated, so an attack is found when score > threshold.

        Args:
            name: data and subset.
            scores: ``(n,)``.
            attack: ``bool (n,)``.
            species: of each presentation (ignored where bona fide), or one name for all attacks.
            subjects: ``(n,)``.
            acquired: ``bool (n,)``.
        """
        kinds = np.where(attack, np.broadcast_to(np.asarray(species, dtype=np.str_), attack.shape), "")
        return cls(name, -np.asarray(scores, np.float64), ~attack, kinds, subjects, acquired)

    @property
    def responded(self) -> NDArray[np.bool_]:
        """``bool (n,)``, False for non-responses."""
        return np.ones(len(self.values), bool) if self.acquired is None else self.acquired

    @property
    def species_names(self) -> tuple[str, ...]:
        """Names of the attack species, sorted."""
        return tuple(str(s) for s in np.unique(self.species[~self.bonafide]))

    @property
    def counts(self) -> dict[str, int]:
        """Bona fide, attacks, species, subjects, non-responses."""
        return {
            "bonafide": int(self.bonafide.sum()),
            "attacks": int((~self.bonafide).sum()),
            "species": len(self.species_names),
            "subjects": len(np.unique(self.subjects)),
            "nonresponses": int((~self.responded).sum()),
        }

    def subset(self, which: NDArray[np.bool_] | NDArray[np.integer], name: str = "") -> Presentations:
        """The presentations at a mask or at indices."""
        acquired = None if self.acquired is None else self.acquired[which]
        arrays = (self.values[which], self.bonafide[which], self.species[which], self.subjects[which], acquired)
        return Presentations(name or self.name, *arrays)

    def of_species(self, *names: str) -> Presentations:
        """All bona fide presentations and the attacks of these species, e.g. those of one attack potential."""
        for name in names:
            if name not in self.species_names:
                raise UnknownNameError("species", name, self.species_names)
        return self.subset(self.bonafide | np.isin(self.species, names))


@dataclass(frozen=True)
class Threshold:
    """A decision threshold and where it comes from.

    Attributes:
        value: the score at or above which a presentation counts as bona fide.
        origin: in words: ``"given"``, ``"EER threshold"``, ``"APCER <= 5 % of the worst species"``.
        data: name of the data that it was set on; ``""`` where it was given.
    """

    value: Number
    origin: str = "given"
    data: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.value, Undefined) and np.isnan(self.value):
            raise ShapeError("a threshold is NaN", expected="a number, or Undefined with its reason")

    @classmethod
    def given(cls, value: float) -> Threshold:
        """A threshold fixed beforehand."""
        return cls(float(value))

    def rule(self, judged: str) -> str:
        """The threshold in words, and whether it was set on the very data that it judges."""
        number = str(self.value) if isinstance(self.value, Undefined) else f"{self.value:.6g}"
        text = f"accept as bona fide when s >= T, T = {number}, {self.origin}"
        if not self.data:
            return text
        same = " (the data judged here: an oracle threshold)" if self.data == judged else ""
        return f"{text} on {self.data!r}{same}, judged on {judged!r}; T taken as fixed"


@dataclass(frozen=True)
class Terms:
    """Names of the two errors and of what they are counted on."""

    attack_error: str = "APCER"
    bonafide_error: str = "BPCER"
    attacks: str = "attack presentations"
    bonafide: str = "bona fide presentations"
    species: str = "species"


PAD = Terms()


def across_species(errors: Floats, tried: Floats, across: Across) -> Floats:
    """One attack error out of several species'.

    Args:
        errors: ``(..., species)`` weight of accepted attacks.
        tried: ``(..., species)`` weight of all.
        across: ``"worst"`` takes the largest of the species' rates (ISO/IEC 30107-3), ``"mean"`` their mean (the habit
            of some challenges), ``"pooled"`` ignores species, so that the most numerous dominates.

    Returns:
        ``(...)``; NaN where nothing was tried. Species without weight are left out.
    """
    if across not in ACROSS:
        raise ShapeError("unknown way across species", given=across, expected=" or ".join(ACROSS))
    if across == "pooled":
        return shares(errors.sum(axis=-1), tried.sum(axis=-1))
    rates = shares(errors, tried)
    there = ~np.isnan(rates)
    if across == "worst":
        worst = np.where(there, rates, -1.0).max(axis=-1, initial=-1.0)
        return np.where(worst < 0, np.nan, worst)
    return shares(np.where(there, rates, 0.0).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def coded(
    presentations: Presentations, nonresponse: NonResponse
) -> tuple[Floats, NDArray[np.int64], NDArray[Any], tuple[str, ...], str]:
    """Scores, columns (0 bona fide, then one per species), subjects, species and the rule for non-responses.

    ``"exclude"`` leaves non-responses to their own rates, as ISO/IEC 30107-3 reports them apart; ``"attack"`` takes
    them for classified as attacks, so that they are errors where bona fide.
    """
    if nonresponse not in ("exclude", "attack"):
        raise ShapeError("unknown rule for non-responses", given=nonresponse, expected="'exclude' or 'attack'")
    p, missing = presentations, int((~presentations.responded).sum())
    names = p.species_names
    column = np.where(p.bonafide, 0, 1 + np.searchsorted(np.array(names, dtype=np.str_), p.species)).astype(np.int64)
    values = np.where(p.responded, p.values, -np.inf)
    used = p.responded if nonresponse == "exclude" else np.ones(len(p), bool)
    said = "left out" if nonresponse == "exclude" else "taken as classified as attack"
    rule = f"{missing} non-responses {said}" if missing else ""
    return values[used], column[used], p.subjects[used], names, rule


def rejoin(*parts: str) -> str:
    """The parts of a rule that are not empty, joined."""
    return "; ".join(p for p in parts if p)
