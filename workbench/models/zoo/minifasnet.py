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
