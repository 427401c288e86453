"""Pure functions on arrays: numbers with their rule, their interval and their undefined case."""

from .explanation import area, mass_ratio, mass_share, pointing, spearman
from .intervals import (
    LEAST_SUBJECTS,
    clopper_pearson,
    of_mean,
    of_scores,
    rule_of_three,
    trial_weights,
    wilson,
)
from .rates import ErrorRates, error_rates
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
