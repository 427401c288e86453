"""Attacks and forgeries: APCER of every species, BPCER, and what the confidence adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...metrics.attack_curves import d_eer
from ...metrics.attacks import apcer, apcer_by_species, apnrr_by_species, bpcer, bpnrr
from ...metrics.presentations import Presentations, Threshold
from .truth import Truth, only
from .units import Answered, Found, How, Unit, subjects_of

COLUMN = "species"
BONA_FIDE = ("", "bona fide", "bonafide")


def attack(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """Bona fide or attack, as it was said; refusals and unparsed replies are non-responses, which stand apart."""
    truth.need(COLUMN, "attack")
    answered = Answered.of(replied)
    named = [only(u.rows[0], u.names[0])[COLUMN] for u in replied]
    species = np.array(["" if s.lower() in BONA_FIDE else s for s in named], np.str_)
    responded = np.array([u.told.outcome == "value" for u in replied], bool)
    said = np.array([responds and u.told.value["attack"] for u, responds in zip(replied, responded, strict=True)], bool)
    judged = Presentations.of_attack_scores(
        "asked", said.astype(np.float64), species != "", species, subjects_of(replied), responded
    )
    # The score is 1 for a called attack: half way is the decision as it was said.
    threshold = Threshold(-0.5, "the decision as it was said")
    numbers = answered.right((said == (species != ""))[responded], how)
    for name, rate in apcer_by_species(judged, threshold, **how).items():
        numbers[f"APCER, {name}"] = rate
    numbers["APCER, worst species"] = apcer(judged, threshold, **how)
    numbers["BPCER"] = bpcer(judged, threshold, **how)
    numbers |= {f"APNRR, {name}": rate for name, rate in apnrr_by_species(judged, **how).items()}
    numbers["BPNRR"] = bpnrr(judged, **how)
    calibration, bins = answered.calibration((said == (species != ""))[responded], how)
    sure = np.array([u.told.value["confidence"] if r else None for u, r in zip(replied, responded, strict=True)], float)
    with_confidence = Presentations.of_attack_scores(
        "asked", np.where(said, sure, 1 - sure), species != "", species, subjects_of(replied), np.isfinite(sure)
    )
    numbers["D-EER"] = d_eer(with_confidence, **how)
    return Found({**numbers, **calibration}, reliability=bins)
