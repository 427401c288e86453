"""What recogniser and decoder make of pictures that were perturbed, watermarked, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import Undefined
from ..metrics.inversion import psnr, ssim
from . import watermark as marks
from .watermark import Bits, Images, Watermark
from .watermark_attack import Recogniser

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """How pictures differ from what they were, by picture.

    Attributes:
        greatest: ``(n,)`` greatest difference of a value, in levels of 255.
        length: ``(n,)`` Euclidean length of the difference, in levels.
        psnr: ``(n,)`` dB, NaN where nothing differs.
        ssim: ``(n,)``.
    """

    greatest: Floats
    length: Floats
    psnr: Floats
    ssim: Floats


def change(before: Images, after: Images) -> Change:
    """Compare pictures ``uint8 (n, h, w, 3)`` one by one."""
    difference = (after.astype(np.float64) - before).reshape(len(before), -1)
    ratios = [psnr(one, other) for one, other in zip(before, after, strict=True)]
    return Change(
        np.abs(difference).max(1), np.linalg.norm(difference, axis=1),
        np.array([np.nan if isinstance(r, Undefined) else float(r) for r in ratios]),
        np.array([ssim(one, other) for one, other in zip(before, after, strict=True)]),
    )  # fmt: skip


@dataclass(frozen=True)
class Mated:
    """Mated comparisons of probes that are treated with references that are not.

    Attributes:
        references: ``float32 (r, d)`` embeddings of clean pictures.
        reference, probe: ``int64 (m,)`` places of the two sides of each comparison.
    """

    references: NDArray[np.float32]
    reference: Index
    probe: Index

    def scores(self, recogniser: Recogniser, probes: Images) -> Floats:
        """Cosine similarities ``(m,)``."""
        found = recogniser.embed(probes).astype(np.float64)
        return np.asarray((self.references[self.reference] * found[self.probe]).sum(1), np.float64)


@dataclass(frozen=True)
class Carried:
    """Pictures with a watermark.

    Attributes:
        scores: ``(m,)`` of the mated comparisons.
        bits: ``(n,)`` share of bits that are read rightly.
        change: from the pictures without the watermark.
    """

    scores: Floats
    bits: Floats
    change: Change


@dataclass(frozen=True)
class Cases:
    """Perturbed pictures in both phases.

    Attributes:
        stealthy: ``(m,)`` scores without a watermark.
        activated: with the owner's.
        others: ``(m, k)`` scores with ``k`` other messages.
        change: from the clean pictures to the perturbed ones.
    """

    stealthy: Floats
    activated: Carried
    others: Floats
    change: Change


def carried(
    recogniser: Recogniser, mated: Mated, pictures: Images, watermark: Watermark, messages: Bits
) -> Carried:  # fmt: skip
    """Watermark pictures as their owner does, and look at what comes of it: the picture is stored in between."""
    after = marks.marked(watermark, pictures, messages)
    right = marks.right_bits(watermark, after, messages)
    return Carried(mated.scores(recogniser, after), right, change(pictures, after))


def cases(
    recogniser: Recogniser, mated: Mated, clean: Images, perturbed: Images, watermark: Watermark, messages: Bits,
    others: Sequence[Bits],
) -> Cases:  # fmt: skip
    """Both phases of perturbed pictures.

    Args:
        recogniser: decides.
        mated: comparisons.
        clean: ``uint8 (n, h, w, 3)``.
        perturbed: the same, perturbed.
        watermark: the owner's.
        messages: ``bool (n, bits)`` the owner's.
        others: messages that the adversary did not count on.
    """
    different = [mated.scores(recogniser, marks.marked(watermark, perturbed, m)) for m in others]
    return Cases(
        mated.scores(recogniser, perturbed), carried(recogniser, mated, perturbed, watermark, messages),
        np.stack(different, 1) if different else np.zeros((len(mated.probe), 0)), change(clean, perturbed),
    )  # fmt: skip
