"""Both MiniFASNets of a folder of the user's, fused as published: the mean of their scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core import ParameterError, WeightsError
from ..cards import Backend
from . import minifasnet_v1se, minifasnet_v2

CARD = replace(
    minifasnet_v2.CARD,
    name="minifasnet",
    crop="face box enlarged 2.7 and 4 times, one crop for each network; see minifasnet-v2",
    output="float64 (n,): mean of both networks' 1 - p(bona fide), higher is more attack",
    source="minivision-ai/Silent-Face-Anti-Spoofing; the user's files: minifasnet:FOLDER",
    notes=f"{minifasnet_v2.CARD.notes} Measured here with faceapi-ssd: the published samples score 0.009 (T1, bona "
    "fide), 0.831 (F1) and 0.978 (F2, attacks). With the box's centre moved by up to 10 % of it, its sides scaled by "
    "up to 15 %, fused decisions stay in 200 of 200 draws each; those of V1SE alone turn in 7 of F1's and 1 of F2's, "
    "with YuNet's boxes in 30 of F1's. BPCER at one half 0.110 [0.077, 0.148] on 310 pictures of LFW View 1, whose "
    "crops end at the picture's border.",
)
PARTS = (minifasnet_v2, minifasnet_v1se)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The detector.

    Args:
        path: folder with both files under their published names, ``*_MiniFASNetV2.pth`` and ``*_MiniFASNetV1SE.pth``.
        device: see `models.load`.
        backend: see `models.load`.
    """
    from ..presentation import AttackDetector, minifasnet_file

    if not path:
        raise ParameterError("minifasnet needs weights", expected="minifasnet:FOLDER", do="name their folder")
    networks = []
    for part in PARTS:
        file = minifasnet_file(Path(path), part.CARD.name)
        if file is None:
            raise WeightsError(
                f"no weights of {part.CARD.name} in {Path(path).name}",
                expected=f"a file that ends in {'MiniFASNetV2.pth' if part is minifasnet_v2 else 'MiniFASNetV1SE.pth'}",
                do="put both files into one folder, or take one: minifasnet-v2:FILE",
            )
        networks.append(part.load(str(file), device, backend))
    card = replace(CARD, files={k: v for n in networks for k, v in n.card.files.items()})
    return AttackDetector(f"minifasnet:{path}", card, networks)
