"""Pure functions on arrays: numbers with their rule, their interval and their undefined case.

Verification is here by name; every other subject is a module: ``from workbench.metrics import attacks``.

==========================================  ==========================================================================
`tail`, `tally`, `tail_intervals`           the low end of billions of comparisons, exactly, with intervals
`identification`                            CMC, FPIR and FNIR, distractors
`presentations`, `attacks`,                 APCER per species, BPCER, ACER, HTER, D-EER, IAPAR, RIAPAR, cross-domain
`attack_curves`, `domains`
`morphing`                                  MMPMR, RMMR, attack potential, MACER and BSCER
`forgery`, `localisation`, `speaker`        frames and videos, masks and segments, t-DCF and a-DCF
`quality`, `differentials`                  error versus discard; groups: FDR, IR, GARBE, ratios
`two_class`                                 one class against all others: EER, one error at the other
`calibration`, `hull`, `logistic`           Cllr and its minimum, ROCCH, linear calibration
`confidence`                                Brier score, expected calibration error, interval score
`decisions`, `matching`                     rates of decisions without scores; answers matched to faces
`paired`                                    McNemar's test, means over folds
`normalisation`, `fusion`                   z-, t-, s-norm; sums, weights, logistic fusion with its threshold's origin
`templates`                                 the IJB recipe, pooling
`attributes`, `landmarks`, `parsing`        age, classes, labels; NME, failures, CED; IoU and F1
`explanation`                               deletion, insertion, hiding game, pointing
`linkability`, `inversion`, `privacy`       D_sys, inversion success, membership, differential-privacy accounting
`agreement`                                 kappas, alpha, refusals
`compatibility`, `asvspoof`,                published habits under their own names, for reproducing their tables
`deepfakebench`
`intervals`, `resampling`, `steps`          the bootstrap over people, exact intervals, scores sorted once
==========================================  ==========================================================================
"""

from .explanation import area, mass_ratio, mass_share, pointing, spearman
from .intervals import (
    LEAST_SUBJECTS,
    clopper_pearson,
    of_mean,
    rule_of_three,
    trial_weights,
    wilson,
)
from .rates import ErrorRates, error_rates
from .resampling import of_scores
from .verification import (
    auc,
    auc_of,
    best_threshold,
    d_prime,
    det,
    eer,
    eer_of,
    eer_threshold,
    fmr_fnmr_at,
    fnmr_at_fmr,
    fold_accuracy,
    roc,
    threshold_at_fmr,
)

__all__ = [
    "LEAST_SUBJECTS", "ErrorRates", "area", "auc", "auc_of", "best_threshold", "clopper_pearson", "d_prime",
    "det", "eer", "eer_of", "eer_threshold", "error_rates", "fmr_fnmr_at", "fnmr_at_fmr", "fold_accuracy",
    "mass_ratio", "mass_share", "of_mean", "of_scores", "pointing", "roc", "rule_of_three", "spearman",
    "threshold_at_fmr", "trial_weights", "wilson",
]  # fmt: skip
