"""What the models trained on phantom faces share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ... import files
from ..cards import PHANTOM_CHIP, Backend, Card, Task

FOLDER = Path(__file__).parents[1] / "weights" / "phantom"
LICENCE = "BSD-3-Clause"
BYTE = ((127.5,) * 3, (1 / 127.5,) * 3)
CROP = "similarity transform of five landmarks to the template, most of the head"
MOVEMENTS = (
    "inner_brow_raise", "outer_brow_raise", "frown", "lids_wide", "cheek_raise", "lids_tight", "nose_wrinkle",
    "upper_lip_raise", "smile", "corners_down", "chin_raise", "pucker", "lip_stretch", "lip_press", "lips_part",
    "jaw_open", "blink",
)  # fmt: skip


def digests() -> dict[str, str]:
    """Weights files and their SHA-256, as they were trained."""
    lines = files.read_text(FOLDER / "SHA256SUMS").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line)}


def card(name: str, task: Task, size: int, output: str, *, dimension: int = 0, notes: str = "", **more: Any) -> Card:
    """The card of one of them."""
    stored = f"{name}.safetensors"
    return Card(
        name=name, task=task, input_size=(size, size), crop=CROP, output=output, licence=LICENCE,
        source=f"trained on phantom faces alone: workbench models train {name}",
        template=tuple((x * size, y * size) for x, y in PHANTOM_CHIP), mean=BYTE[0], scale=BYTE[1],
        dimension=dimension, files={stored: digests()[stored]}, notes=notes, **more,
    )  # fmt: skip


def filled(of: Card, network: Any, path: str) -> tuple[Any, str]:
    """A network with a card's weights, checked against their digest, and the digest; or with weights trained again."""
    from ..networks.mobilefacenet import load_state

    stored, digest = next(iter(of.files.items()))
    weights = files.read_weights(path or FOLDER / stored, sha256=None if path else digest)
    load_state(network, {k: v.astype("float32") for k, v in weights.tensors.items()}, weights.name)
    return network.eval(), weights.digest


def embedder(of: Card, path: str, device: str, backend: Backend) -> Any:
    """A recogniser."""
    from ..embedders import Embedder
    from ..engines import make_engine
    from ..networks.phantom import Trunk

    network, digest = filled(of, Trunk(of.input_size[0], of.dimension), path)
    engine = make_engine(copy.deepcopy(network), of.name, of.input_size, device, backend)
    return Embedder(of, engine, network.to(engine.device), digest)


def reader(of: Card, columns: Sequence[str], path: str, device: str, backend: Backend) -> Any:
    """A narrow network that says named numbers."""
    from ..chips import ChipReader
    from ..engines import make_engine
    from ..networks.phantom import NARROW, Trunk

    network, digest = filled(of, Trunk(of.input_size[0], len(columns), NARROW), path)
    engine = make_engine(
        copy.deepcopy(network), of.name, of.input_size, device, "torch" if backend == "auto" else backend
    )
    return ChipReader(of, engine, columns, network.to(engine.device), digest)
