"""Age and gender network of face-api."""

from __future__ import annotations

from typing import Any

from ..cards import Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-age-gender",
    task="age-gender",
    input_size=(112, 112),
    crop="the detector's box, clipped at the picture's border, centred in a black square",
    mean=_faceapi.MEAN,
    scale=_faceapi.BYTE,
    output="age in years and share of male presentation",
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("age_gender_model"),
    notes="Apparent age and gender presentation of a picture; error varies with group.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The model."""
    from ..engines import make_engine
    from ..faces import AgeGenderModel
    from ..networks.xception import AgeGender

    network = _faceapi.network(CARD, path, AgeGender)
    engine = make_engine(network, CARD.name, CARD.input_size, device, "torch" if backend == "auto" else backend)
    return AgeGenderModel(CARD, engine)
