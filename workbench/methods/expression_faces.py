"""Faces with an expression of known kind and intensity: seven sets of their own style, people to learn from, probes.

A face is neutral when its expression's intensity is below 0.05. Chips are aligned by the true landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError, seeds
from ..data import phantom
from ..data.phantom.dataset import chip_matrices

SIZE = 64
# At this head height a picture of `SIZE` shows the face about as large as the chip does.
FILL = 0.95
EXPRESSIONS = tuple(phantom.EXPRESSIONS)
NEUTRAL = EXPRESSIONS.index("neutral")
EMOTIONS = tuple(e for e in EXPRESSIONS if e != "neutral")
# Below the first a face is neutral; from the second on an expression is called one.
NEUTRAL_BELOW, SHOWN_FROM = 0.05, 0.08
SUBTLE, STRONG = 0.3, 0.6
# Movements that displace jaw and lips most: they change what a recogniser sees.
_JAW_AND_LIPS = ("jaw_open", "lips_part", "lip_stretch", "pucker")
_EVEN = (1.0,) * 6


@dataclass(frozen=True)
class Style:
    """How the pictures of one set are taken.

    Attributes:
        name: of the set.
        yaw, pitch: standard deviations in degrees.
        light, ambient: ranges of their strengths.
        exposure: range.
        noise, blur, jpeg: of the sensor.
        emotions: shown besides neutral.
        intensity: range of what is not neutral.
        displaced: largest additional displacement of jaw and lips, times the intensity.
        neutral: share of neutral pictures.
        skin: shares of six equal bins of melanin.
    """

    name: str
    yaw: float = 6.0
    pitch: float = 4.0
    light: tuple[float, float] = (0.5, 0.9)
    ambient: tuple[float, float] = (0.4, 0.7)
    exposure: tuple[float, float] = (0.85, 1.15)
    noise: float = 0.006
    blur: float = 0.3
    jpeg: int = 0
    emotions: tuple[str, ...] = EMOTIONS
    intensity: tuple[float, float] = (SHOWN_FROM, 1.0)
    displaced: float = 0.0
    neutral: float = 0.25
    skin: tuple[float, ...] = _EVEN


STYLES = (
    Style("studio", 2, 2, (0.5, 0.6), (0.55, 0.65), (0.95, 1.05), 0.002, 0.1, intensity=(0.6, 1.0)),
    Style("sun", 8, 5, (0.9, 1.4), (0.2, 0.4), (0.8, 1.2), intensity=(0.3, 1.0), neutral=0.2),
    Style("dusk", 6, 4, (0.3, 0.6), (0.3, 0.5), (0.4, 0.7), 0.03, 0.5, skin=(1, 1, 2, 2, 3, 3)),
    Style("webcam", 10, 6, noise=0.02, blur=1.2, jpeg=40, emotions=("happy", "surprised", "sad"),
          intensity=(SHOWN_FROM, 0.7), neutral=0.35),
    Style("posed", 4, 3, intensity=(0.7, 1.0), displaced=0.5, neutral=0.15, skin=(3, 3, 2, 2, 1, 1)),
    Style("spontaneous", 12, 6, emotions=("happy", "sad", "angry", "disgusted"), intensity=(SHOWN_FROM, 0.5),
          neutral=0.3),
    Style("outdoors", 18, 8, (0.6, 1.2), (0.3, 0.6), (0.7, 1.3), 0.01, intensity=(0.2, 1.0), displaced=0.3),
)  # fmt: skip
# Everything that the sets do, for networks; light and pose of probes differ little, so that expressions count.
WILD = Style("wild", 10, 6, (0.3, 1.2), (0.3, 0.7), (0.6, 1.3), 0.015, 0.6, intensity=(0.2, 1.0), displaced=0.4,
             neutral=1 / 7)  # fmt: skip
PROBE = Style("probe", 5, 3, displaced=0.8, neutral=0.2)
REFERENCE = Style("reference", 5, 3, neutral=1.0)


@dataclass(frozen=True)
class Faces:
    """Aligned chips with what they show.

    Attributes:
        name: of the set.
        images: ``uint8 (n, h, w, 3)``.
        subjects: ``int64 (n,)`` codes of people.
        expression: ``int64 (n,)`` place in `EXPRESSIONS`.
        intensity: ``float64 (n,)``, 0 to 1; NaN where it is not known.
        names: what the places of ``expression`` mean, neutral as in `EXPRESSIONS`; -1 is not known.
    """

    name: str
    images: NDArray[np.uint8]
    subjects: NDArray[np.int64]
    expression: NDArray[np.int64]
    intensity: NDArray[np.float64]
    names: tuple[str, ...] = EXPRESSIONS

    def __len__(self) -> int:
        return len(self.images)

    @property
    def neutral(self) -> NDArray[np.bool_]:
        """Which show no expression."""
        found: NDArray[np.bool_] = self.expression == NEUTRAL
        return found

    @property
    def graded(self) -> bool:
        """Whether the intensity of every face that is not neutral is known."""
        return not np.isnan(self.intensity[~self.neutral]).any()

    @property
    def strength(self) -> NDArray[np.float64]:
        """Intensities ``(n,)`` where faces are graded, else 1 for faces that are not neutral; NaN without a label.

        Neutral faces whose intensity is not known have 0.
        """
        if self.graded:
            return np.where(np.isnan(self.intensity), 0.0, self.intensity)
        return np.where(self.expression < 0, np.nan, np.where(self.neutral, 0.0, 1.0))

    def shown(self, i: int) -> str:
        """What face ``i`` shows, with its intensity where that is known."""
        name = "" if self.expression[i] < 0 else self.names[self.expression[i]]
        return name if self.neutral[i] or np.isnan(self.intensity[i]) else f"{name} {self.intensity[i]:.2f}"


def faces(style: Style, people: int, images: int, *, first: int, seed: int) -> Faces:
    """Pictures of people of a set, of whom no other set knows anything.

    Args:
        style: of the set.
        people: how many.
        images: of each.
        first: code of the first person; the others follow.
        seed: of all.
    """
    if people < 1 or images < 1:
        raise ShapeError("a set needs people and pictures", given=(people, images), expected="1 or more of each")
    who = phantom.skewed(phantom.identities(people, seed=seed, prefix=style.name), seed=seed, melanin=style.skin)
    of = np.repeat(np.arange(people), images)
    return taken(style, who.take(of), first + of, seed=seed)


def taken(style: Style, who: phantom.Identities, subjects: NDArray[np.int64], *, seed: int) -> Faces:
    """One picture of each of ``who``, people repeated.

    Args:
        style: of the pictures.
        who: whom each picture shows.
        subjects: ``int64 (n,)`` their codes.
        seed: of the pictures.
    """
    n, rng = len(who), seeds.rng("expression-neutrality", style.name, seed, len(who))
    shown = np.array([EXPRESSIONS.index(e) for e in style.emotions])[rng.integers(len(style.emotions), size=n)]
    plain = rng.random(n) < style.neutral
    intensity = np.where(plain, rng.uniform(0, NEUTRAL_BELOW, n), rng.uniform(*style.intensity, n))
    scene = phantom.varied(who, ("gaze", "background", "clothes"), [f"{style.name}/{i}" for i in range(n)], seed=seed)
    scene = scene.replace(
        movements=movements(shown, intensity, style.displaced, rng),
        yaw=np.clip(rng.normal(0, style.yaw, n), -40, 40),
        pitch=np.clip(rng.normal(0, style.pitch, n), -20, 20),
        roll=np.clip(rng.normal(0, 3, n), -10, 10),
        light=rng.uniform(*style.light, n),
        ambient=rng.uniform(*style.ambient, n),
        light_direction=np.stack([rng.uniform(-60, 60, n), rng.uniform(0, 55, n)], 1),
        exposure=rng.uniform(*style.exposure, n),
        noise=style.noise,
        blur=style.blur,
        jpeg=style.jpeg,
        fill=FILL,
    )
    expression = np.where(plain, NEUTRAL, shown).astype(np.int64)
    return Faces(style.name, chips(scene), subjects.astype(np.int64), expression, intensity)


def movements(
    shown: NDArray[np.int64], intensity: NDArray[np.float64], displaced: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Facial movements ``float32 (n, movements)`` of expressions, with blinks that are no expression.

    Args:
        shown: ``int64 (n,)`` place in `EXPRESSIONS`.
        intensity: ``(n,)``.
        displaced: largest additional displacement of jaw and lips at intensity 1.
        rng: of displacements and blinks.
    """
    full = np.stack([phantom.expression(e) for e in EXPRESSIONS])
    made = full[shown] * intensity[:, None]
    for name in _JAW_AND_LIPS:
        made[:, phantom.MOVEMENTS.index(name)] += intensity * rng.uniform(0, displaced, len(shown))
    blink = phantom.MOVEMENTS.index("blink")
    made[:, blink] = np.maximum(made[:, blink], np.clip(rng.normal(0.05, 0.08, len(shown)), 0, 1))
    return np.asarray(np.clip(made, 0, 1), np.float32)


def chips(scene: phantom.Scene, size: int = SIZE) -> NDArray[np.uint8]:
    """Chips ``uint8 (n, size, size, 3)`` aligned by true landmarks, rendered at about their own resolution."""
    drawn = phantom.render(scene, size, truth=("landmarks5",))
    matrices = chip_matrices(np.asarray(drawn.landmarks5), size)
    cut = [
        cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for image, matrix in zip(drawn.rgb, matrices, strict=True)
    ]
    return np.stack(cut).astype(np.uint8)
