"""Model cards: everything that has to be known about a model before a picture is put into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..core import WeightsError

Task = Literal[
    "detection", "landmarks", "embedding", "age-gender", "expression", "attributes", "attack-detection", "autoencoder"
]
Backend = Literal["auto", "torch", "torch-bf16", "onnx"]
BACKENDS: tuple[Backend, ...] = ("auto", "torch", "torch-bf16", "onnx")

# Eye centres, nose tip and mouth corners; the subject's right eye comes first.
DLIB_150 = ((47.6, 46.6), (100.5, 46.6), (74.0, 76.6), (50.4, 103.0), (97.6, 103.0))
ARCFACE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
# In a chip of side 1: most of the head is kept. It is the template of phantom faces' chips.
PHANTOM_CHIP = ((0.34, 0.40), (0.66, 0.40), (0.50, 0.60), (0.37, 0.74), (0.63, 0.74))
SPHEREFACE_112X96 = tuple((x - 8.0, y) for x, y in ARCFACE_112)


@dataclass(frozen=True)
class Card:
    """What a model expects, gives and is allowed.

    Attributes:
        name: as it is loaded.
        task: what it does.
        input_size: height and width in pixels.
        crop: how a face becomes an input, in words.
        template: five points in input pixels that a face is aligned to, or None.
        colour: channel order of the network's input.
        mean, scale: the network sees ``(pixel - mean) * scale`` per channel, pixels 0 to 255.
        output: what comes out, in words with shape.
        dimension: length of an embedding, 0 for other tasks.
        normalised: whether embeddings come out with unit length.
        licence, source: terms of use, and where the weights come from.
        files: weights files and their SHA-256, where they are known.
        operating_points: FMR -> (threshold, where it was measured); for embedders.
        notes: what a user must know.
    """

    name: str
    task: Task
    input_size: tuple[int, int]
    crop: str
    output: str
    licence: str
    source: str
    template: tuple[tuple[float, float], ...] | None = None
    colour: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    dimension: int = 0
    normalised: bool = True
    files: Mapping[str, str] = field(default_factory=dict)
    operating_points: Mapping[float, tuple[float, str]] = field(default_factory=dict)
    notes: str = ""


_REQUIRED = {"input_size", "template", "mean", "scale", "colour", "dimension", "licence"}


def card_from_json(fields: Mapping[str, Any], name: str) -> Card:
    """The card that a user writes beside an ONNX embedder.

    Args:
        fields: ``input_size [h, w]``, ``template`` five points, ``mean`` and ``scale`` three numbers each,
            ``colour``, ``dimension``, ``licence``; optional ``source``, ``notes``.
        name: what the model is called.

    Raises:
        WeightsError: a field is missing or does not fit.
    """
    missing = sorted(_REQUIRED - fields.keys())
    if missing:
        raise WeightsError(
            f"the card of {name} is incomplete",
            given=", ".join(sorted(fields)),
            expected=f"also {', '.join(missing)}",
            do="a crop template is never guessed: take these from the model's own training code",
        )
    try:
        card = Card(
            name=name,
            task="embedding",
            input_size=_numbers(fields["input_size"], 2, int),
            crop="similarity transform of five landmarks to the template",
            output=f"float32 (n, {int(fields['dimension'])})",
            licence=str(fields["licence"]),
            source=str(fields.get("source", "the user's file")),
            template=tuple(_numbers(p, 2, float) for p in _list(fields["template"], 5)),
            colour=fields["colour"],
            mean=_numbers(fields["mean"], 3, float),
            scale=_numbers(fields["scale"], 3, float),
            dimension=int(fields["dimension"]),
            notes=str(fields.get("notes", "")),
        )
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"the card of {name} does not fit", given=error, do="see `workbench models show onnx`"
        ) from error
    if card.colour not in ("RGB", "BGR"):
        raise WeightsError(f"the card of {name} does not fit", given=f"colour {card.colour!r}", expected="RGB or BGR")
    return card


def _list(value: Any, n: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != n:
        raise ValueError(f"expected a list of {n}, given {value!r}")
    return value


def _numbers(value: Any, n: int, kind: type) -> Any:
    return tuple(kind(v) for v in _list(value, n))
