"""Ef-QuantFace: Streamlined Face Recognition with Small Data and Low-Bit Precision. arXiv:2402.18163 (2024).

The paper's accuracy is a true accept rate at a false accept rate, here true match rate (TMR) and false match rate (FMR).
It gives no code: the quantiser is that of QuantFace (arXiv 2206.10526), the evaluation-oriented loss that of EKD (arXiv
2206.02325); how the paper joins them is not confirmed.

Sizes and margins were fixed before the first verdict was seen; one point of TMR, where a claim names none. The learning
rate too: at the assumed 0.01 the training loss of other faces than these fell by 8 % in 60 steps, at the base work's
0.1 by 22 %, so 0.1 was taken for the short demo. The paper's epochs of the full set are out of reach here: their time
(C5) is that of a measured step times their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..claims import Claim, Comparison, Study
from ..core import DataError, Estimate, Evidence, Reported, Resampled, Undefined
from ..methods import quantization as q
from ..methods import quantization_arms as arms_of
from ..methods import quantization_data as pictures
from ..methods import quantization_export as export
from ..methods import quantization_networks as networks
from ..methods import quantization_training as training
from ..methods.quantization_arms import FP, FULL, HALF, Arm, named
from ..methods.quantization_data import Material
from ..methods.quantization_networks import Recogniser
from ..methods.tiny_vlm_training import side_by_side
from ..metrics import fold_accuracy
from ..metrics.resampling import of_resampled
from ..models import split
from ..models.engines import export_onnx

FMR = 1e-3
TMR, DROP, TIME = "TMR at FMR 1e-3", "relative loss of TMR at W6A6", "time over that of the full set's epochs"
EXPORTED = named("KD-small", 8)
POINT = 0.01
NEEDS = (
    "a network in full precision: model='iresnet:PATH' or 'mobilefacenet:PATH', an ArcFace state dictionary",
    "pictures to fine-tune on: data='folder:PATH', PATH/<person>/<picture>, aligned chips of 112 x 112 (MS1MV2 or "
    "another training set as a folder of identities; its record files are not read); about 13,200 for the small set",
    "pair sets: tests='insightface-bin:PATH/lfw.bin; ...' (LFW, CFP-FP, AgeDB-30, CALFW, CPLFW); IJB-B and IJB-C in "
    "InsightFace's layout are not read by this version",
    "memory: 38 kB a picture, 0.5 GB for 13,200, 218 GB for MS1MV2's 5.8 million; a GPU with 16 GB for batches of 128",
    "time: see the notebook; the full set's epochs need days on one GPU",
)


def _within(one: str, other: str) -> tuple[Comparison, Comparison]:
    return (
        Comparison(TMR, one, other, "greater", margin=-POINT),
        Comparison(TMR, other, one, "greater", margin=-POINT),
    )


STUDY = Study(
    title="Ef-QuantFace: Streamlined Face Recognition with Small Data and Low-Bit Precision",
    source="arXiv:2402.18163",
    pillar="recognition",
    version="1-A",
    claims=(
        Claim(
            "C1",
            "Small data suffice: at W6A6, fine-tuning on a twentieth of the pictures is at most one point worse",
            (Comparison(TMR, named("KD-small", 6), named("KD-full", 6), "greater", margin=-POINT),),
        ),
        Claim(
            "C2",
            "Fine-tuning is needed at W4A4, and at W8A8 calibration alone stays within one point of full precision",
            (
                Comparison(TMR, named("KD-small", 4), named("PTQ", 4), "greater"),
                *_within(named("PTQ", 8), FP),
                *_within(named("KD-small", 8), FP),
            ),
        ),
        Claim(
            "C3",
            "The evaluation-oriented loss helps: at W4A4 on the small set, better than distance of embeddings alone",
            (Comparison(TMR, named("KD+EKD-small", 4), named("KD-small", 4), "greater"),),
        ),
        Claim(
            "C4",
            "Fewer bits are never more than one point better: full precision, W8A8, W6A6, W4A4",
            tuple(
                Comparison(TMR, more, less, "greater", margin=-POINT)
                for more, less in zip(
                    (FP, named("KD-small", 8), named("KD-small", 6)), [named("KD-small", b) for b in arms_of.BITS],
                    strict=True,
                )
            ),
        ),
        Claim(
            "C5",
            "The small set reaches C1's accuracy in a tenth of the time of the full set's epochs",
            (
                Comparison(TMR, named("KD-small", 6), named("KD-full", 6), "greater", margin=-POINT),
                Comparison(TIME, named("KD-small", 6), 0.1),
            ),
        ),
        Claim(
            "C6",
            "The smaller network loses more of its TMR from full precision to W6A6",
            (Comparison(DROP, HALF, FULL, "greater"),),
        ),
        Claim(
            "C7",
            "C1 at W4A4, where few bits hurt: at W6A6 these pictures may show nothing",
            (Comparison(TMR, named("KD-small", 4), named("KD-full", 4), "greater", margin=-POINT),),
            ours=True,
        ),
    ),
    reported=(
        Reported("TMR, best of the compressed models", "IJB-C; assumed: at FMR 1e-4, teacher iResNet", "abstract", 96.15,
                 unit="percent"),
        Reported("pictures for fine-tuning", "of MS1M's 5.8 million", "abstract", text="up to 14,000, 440 times fewer"),
        *(
            Reported(f"TMR of {net}, {bits}", "IJB-C, QuantFace (another paper)", "its repository's plots", value,
                     unit="percent", key=f"{TMR}: {key}")
            for net, values in (("ResNet-100", (96.50, 96.09, 87.00)), ("ResNet-50", (95.74, 95.18, 90.72)),
                                ("ResNet-18", (93.56, 92.87, 92.36)), ("MobileFaceNet", (90.88, 89.21, 82.94)))
            for bits, key, value in zip(("FP32", "W8A8", "W6A6"), (FP, named("KD-small", 8), named("KD-full", 6)), values,
                                        strict=True)
        ),
        Reported("size, FP32 / W8A8 / W6A6", "ResNet-100, QuantFace", "its repository's plots",
                 text="261.2 / 65.3 / 49.0 MB"),
        Reported("size, FP32 / W8A8 / W6A6", "MobileFaceNet, QuantFace", "its repository's plots",
                 text="4.21 / 1.10 / 0.79 MB"),
    ),
    scales={
        "smoke": {"people": 16, "images": 6, "tests_people": 8, "shots": 4, "small_people": 4, "small_images": 4,
                  "epochs": 2, "steps": 4, "batch": 32, "moving": 2, "rate": 0.1, "resamples": 200},
        "demo": {"people": 120, "images": 16, "tests_people": 40, "shots": 12, "small_people": 12, "small_images": 8,
                 "epochs": 12, "steps": 60, "batch": 96, "moving": 30, "rate": 0.1, "resamples": 1000},
        "paper": {"people": 20000, "images": 1000, "tests_people": 40, "shots": 12, "small_people": 1650,
                  "small_images": 8, "epochs": 12, "steps": 1650, "batch": 128, "moving": 300, "rate": 0.01,
                  "resamples": 1000},
    },
)  # fmt: skip
