"""insightface's ``arcface_torch/eval_ijbc.py``: pooling by its flags N, D and F, and the nearest false positive rate.

Its README says "under FAR <= 1e-4"; the code takes the nearest point, which may lie above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..templates import Templates, Vectors, image_features, media_templates
from .folded import Floats, Mask
from .scikit_learn import nearest_point

Codes = NDArray[np.int64]
FARS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def eval_ijbc_templates(
    features: Vectors, flipped: Vectors, detector: Vectors, templates: Codes, media: Codes, *,
    use_norm_score: bool = True, use_detector_score: bool = True, use_flip_test: bool = True,
) -> Templates:  # fmt: skip
    """Templates under the script's flags; here ``use_norm_score=True`` (N1) **keeps** the norm of an image's feature.

    CVLface follows this reading. In ``ijb_evals.py`` the same flag means the opposite.
    """
    prepared = image_features(
        features,
        flipped=flipped if use_flip_test else None,
        keep_norm=use_norm_score,
        detector=detector if use_detector_score else None,
    )
    return media_templates(prepared, templates, media)


def eval_ijbc_tpr(scores: Floats, mated: Mask, fars: tuple[float, ...] = FARS) -> Floats:
    """True positive rate at the nearest false positive rate to each target."""
    return np.array([nearest_point(scores, mated, far)[2] for far in fars])
