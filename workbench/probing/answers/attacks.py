"""Whether a picture shows an attack: a spoof before the camera, or a forged picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import confidence
from .answer import Answer, schema_of, unparsed, valued
from .binary import Sides
from .pairs import with_confidence, without_confidence
from .reading import read
from .statements import Said

_SIGNS = (
    "manipulation",
    "spoofing",
    "tampering",
    "forgery",
    "an attack",
    "a presentation attack",
    "a spoof",
    "digital manipulation",
)
_ATTACK = Sides(
    (
        *(
            "spoof",
            "spoofed",
            "spoof attack",
            "spoofing attack",
            "presentation attack",
            "print attack",
            "printed photo attack",
        ),
        *("replay attack", "mask attack", "an attack", "photo attack", "display attack"),
        *(
            "fake",
            "fake face",
            "fake image",
            "deepfake",
            "deepfaked",
            "deepfake image",
            "forged",
            "a forgery",
            "manipulated",
            "tampered",
        ),
        *(
            "face swap",
            "ai generated",
            "ai-generated image",
            "morphed",
            "a morph",
            "not real",
            "not live",
            "not genuine",
        ),
        *(f"{word} of {sign}" for word in ("sign", "signs", "evidence", "indications") for sign in _SIGNS),
    ),
    (
        *(
            "bona fide",
            "bona fide presentation",
            "bonafide",
            "live",
            "live person",
            "live face",
            "live capture",
            "genuine",
        ),
        *(
            "genuine face",
            "genuine presentation",
            "genuine person",
            "authentic",
            "real",
            "real person",
            "real face",
            "unmanipulated",
        ),
    ),
    yes_alone=("attack", "forgery", "print", "replay"),
    asked=False,
)


@dataclass(frozen=True)
class Attack:
    """Whether a face is a spoof or a forgery, how sure the model is, of which kind, and why.

    The value is ``{"attack": bool, "confidence": float or None, "kind": str, "explanation": str}``, confidence from
    0 to 1. JSON: ``attack`` true or false, ``confidence`` an integer 0 to 100 or left out, ``kind`` and
    ``explanation`` text, "" where left out. Answers in words give neither kind nor explanation. A bare "yes" is no
    answer: it may mean "real".
    """

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of(
            {
                "attack": {"type": "boolean"},
                "confidence": confidence.SCHEMA,
                "kind": {"type": "string"},
                "explanation": {"type": "string"},
            }
        )

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        attack = found.get("attack")
        if attack is None:
            return None
        words = {name: "" if found.get(name) is None else found[name] for name in ("kind", "explanation")}
        if not isinstance(attack, bool) or not all(isinstance(w, str) for w in words.values()):
            return unparsed("attack is not true or false, or kind or explanation is not text")
        answer = with_confidence({"attack": attack}, found)
        return valued({**answer.value, **words}, answer.why) if answer.outcome == "value" else answer

    def _of_text(self, said: Said) -> Answer:
        attack = _ATTACK.side(without_confidence(said.clauses))
        if attack is None:
            return unparsed("no one clear statement of attack or bona fide")
        try:
            sure = confidence.of_text(said.kept)
        except confidence.UnusableError as error:
            return unparsed(str(error))
        return valued({"attack": attack, "confidence": sure, "kind": "", "explanation": ""}, "a clear statement")
