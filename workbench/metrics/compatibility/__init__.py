"""Published habits under their own names, to reproduce the tables that they made; never the house's measures.

Each is described anew from the code that printed the tables; names of rates are those of that code. ASVspoof's and
DeepfakeBench's are in `metrics.asvspoof` and `metrics.deepfakebench`.
"""

from .arcface_torch import arcface_torch_distances, arcface_torch_lfw
from .bob_measure import (
    bob_eer_threshold,
    bob_far_threshold,
    bob_farfrr,
    bob_frr_threshold,
    bob_min_cllr,
    bob_roc_auc_score,
)
from .cvlface import CvlfaceSearch, cvlface_dir_far, cvlface_thresholds
from .eval_ijbc import eval_ijbc_templates, eval_ijbc_tpr
from .facenet import facenet_validation_rate
from .facex_zoo import facex_zoo_lfw
from .folded import FoldedRates
from .ijb_evals import (
    IjbEvalsSearch,
    ijb_1n_threshold,
    ijb_evals_search,
    ijb_evals_templates,
    ijb_evals_threshold,
)
from .pyeer import pyeer_eer, pyeer_fnmr_at_fmr, pyeer_rates
from .rules import OtherRule, other_equal_error_rates, other_rules
from .scikit_learn import nearest_point, roc_points

__all__ = [
    "CvlfaceSearch", "FoldedRates", "IjbEvalsSearch", "OtherRule", "arcface_torch_distances", "arcface_torch_lfw",
    "bob_eer_threshold", "bob_far_threshold", "bob_farfrr", "bob_frr_threshold", "bob_min_cllr", "bob_roc_auc_score",
    "cvlface_dir_far", "cvlface_thresholds", "eval_ijbc_templates", "eval_ijbc_tpr", "facenet_validation_rate",
    "facex_zoo_lfw", "ijb_1n_threshold", "ijb_evals_search", "ijb_evals_templates", "ijb_evals_threshold",
    "nearest_point", "other_equal_error_rates", "other_rules", "pyeer_eer", "pyeer_fnmr_at_fmr", "pyeer_rates",
    "roc_points",
]  # fmt: skip
