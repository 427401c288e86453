"""What the MiniFASNet models share."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import files
from ...core import ParameterError
from ..cards import Backend, Card

BONA_FIDE = 1
CROP = (
    "face box enlarged {:g} times about its centre, moved to lie within the picture, sampled bilinearly without "
    "smoothing; sides keep the box's ratio, the input does not"
)


def card(name: str, factor: float) -> Card:
    """The card of one of them."""
    return Card(
        name=name,
        task="attack-detection",
        input_size=(80, 80),
        crop=CROP.format(factor),
        colour="BGR",
        output="float64 (n,): 1 - p(bona fide) in [0, 1], higher is more attack; of three classes 1 is bona fide",
        licence="Apache-2.0",
        source=f"minivision-ai/Silent-Face-Anti-Spoofing; the user's file: {name}:FILE",
        notes="Pixels enter as 0 to 255. A published file name says its own crop (2.7_80x80_MiniFASNetV2.pth). The "
        "authors ask for whole faces turned by less than 30 degrees, and say that results depend on camera and scene.",
    )


def attack_share(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits ``(n, 3)`` as the probability ``(n,)`` that the class is not bona fide."""
    weights = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    # The attacks' own sum, since 1 - p loses the small ones.
    attacks: NDArray[np.float64] = np.delete(weights, BONA_FIDE, axis=1).sum(axis=1) / weights.sum(axis=1)
    return attacks


def named_factor(path: str, usual: float) -> float:
    """The enlargement that a published file name begins with (``4_0_0_80x80_...``), else the usual one."""
    found = re.match(r"(\d+(?:\.\d+)?)_(?:.*_)?80x80_", Path(path).name)
    return float(found[1]) if found else usual


def load(of: Card, kind: str, usual: float, path: str, device: str, backend: Backend) -> Any:
    """One network, strictly filled.

    Args:
        of: its card.
        kind: class in `networks.minifasnet`.
        usual: enlargement of the face box where the file's name says none.
        path: the user's file.
        device: see `models.load`.
        backend: see `models.load`; ``"auto"`` is torch in float32: scores near one half should not turn on rounding.
    """
    from ..engines import make_engine
    from ..networks import minifasnet
    from ..networks.mobilefacenet import load_state
    from ..presentation import AttackNetwork

    if not path:
        raise ParameterError(f"{of.name} needs weights", expected=f"{of.name}:FILE", do="name the file")
    weights = files.read_weights(path)
    network = getattr(minifasnet, kind)()
    load_state(network, weights.tensors, weights.name)
    network.eval()
    factor = named_factor(path, usual)
    whole = replace(of, crop=CROP.format(factor), files={weights.name: weights.digest})
    engine = make_engine(
        copy.deepcopy(network), of.name, of.input_size, device, "torch" if backend == "auto" else backend
    )
    return AttackNetwork(whole, engine, network.to(engine.device), weights.digest, attack=attack_share, factor=factor)
