"""Presentations: a live person, or an instrument that shows another one, before one and the same camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....core import ShapeError, UnknownNameError, seeds
from ..camera import PIVOT, rotation
from ..light import towards
from ..picture import Layers, tensors
from ..scene import Scene
from ..sensor import develop, read_out
from ..surface import PART
from ..template import HEAD
from .media import halftoned, inked, separations, striped
from .profiles import measured_depth, profile_of, sharpened, through
from .sheet import Seen, Sheet, look, sample

LIVE = "bona fide"
SPECIES: Mapping[str, str] = {
    "photo": "print", "halftone print": "print", "bent print": "print", "cut print": "print",
    "phone": "replay", "monitor": "replay",
    "resin mask": "mask", "silicone mask": "mask", "paper mask": "mask",
    "printed eyes": "partial", "printed mouth": "partial", "printed glasses": "partial",
}  # fmt: skip
# Most pixels a side of what an instrument shows; small captures resolve fewer.
_SHOWN = 320
_CHUNK = 2
# What replaces skin: linear RGB by which albedo is multiplied, a colour it is mixed with and its share, near-infrared.
_MASKS = {"resin mask": ((0.95, 0.95, 1.0), 0.35, 0.42), "silicone mask": ((1.0, 0.95, 0.92), 0.08, 0.55),
          "paper mask": ((0.9, 0.9, 0.9), 0.20, 0.80)}  # fmt: skip


@dataclass(frozen=True)
class Presentations:
    """What a capture device gives, and the truth.

    Attributes:
        rgb: ``uint8 (n, h, w, 3)``.
        depth: ``float32 (n, h, w)`` millimetres as the device measures them, infinite on the background.
        nir: ``uint8 (n, h, w)``.
        attack: ``bool (n,)``.
        species: ``"bona fide"`` or a name of `SPECIES`, ``n`` of them.
        artefact: ``bool (n, h, w)`` where the instrument is seen.
        profile: capture device.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    nir: NDArray[np.uint8]
    attack: NDArray[np.bool_]
    species: tuple[str, ...]
    artefact: NDArray[np.bool_]
    profile: str


def present(
    scene: Scene, species: str, *, target: Scene | None = None, size: int = 112, seed: int = 0,
    profile: str = "industrial", device: str = "cpu",
) -> Presentations:  # fmt: skip
    """Presentations of one kind.

    Args:
        scene: who stands before the camera, and camera, light and sensor.
        species: ``"bona fide"`` or one of `SPECIES`.
        target: who is shown, picture by picture; the same people if not given.
        size: side of the pictures.
        seed: of what differs from one instrument to the next.
        profile: capture device, one of `PROFILES`.
        device: where it is rendered.

    Raises:
        UnknownNameError: no such species or profile.
        ShapeError: not one target for each picture.
    """
    if species != LIVE and species not in SPECIES:
        raise UnknownNameError("attack instrument species", species, [LIVE, *SPECIES])
    captured = profile_of(profile)
    shown = scene if target is None else target
    if len(shown) != len(scene):
        raise ShapeError("one target for each picture is needed", given=len(shown), expected=len(scene))
    seen = scene.replace(
        resolution=np.minimum(scene.resolution, captured.resolution), blur=np.maximum(scene.blur, captured.blur),
        noise=np.hypot(scene.noise, captured.noise), jpeg=captured.jpeg,
    )  # fmt: skip
    parts = []
    with torch.no_grad():
        for start in range(0, len(scene), _CHUNK):
            at = slice(start, start + _CHUNK)
            parts.append(_captured(seen.take(at), shown.take(at), species, size, seed, profile, device))
    rgb, depth, nir, artefact = (np.concatenate(column) for column in zip(*parts, strict=True))
    attack = np.full(len(scene), species != LIVE)
    return Presentations(rgb, depth, nir, attack, (species,) * len(scene), artefact, profile)


@dataclass(frozen=True)
class _Light:
    """What reaches the camera, in double resolution: linear RGB, near-infrared, depth, and the instrument's place."""

    rgb: Tensor
    nir: Tensor
    depth: Tensor
    artefact: Tensor

    def over(self, mask: Tensor, rgb: Tensor, nir: Tensor, depth: Tensor) -> _Light:
        """Something nearer where ``mask``."""
        return _Light(
            torch.where(mask[..., None], rgb, self.rgb), torch.where(mask, nir, self.nir),
            torch.where(mask, depth, self.depth), self.artefact | mask,
        )  # fmt: skip


def _captured(
    scene: Scene, target: Scene, species: str, size: int, seed: int, profile: str, device: str
) -> tuple[NDArray[Any], ...]:
    t = tensors(scene, device)
    light = _instrument(scene, target, t, species, 2 * size, seed)
    captured = profile_of(profile)
    sensor = scene.sensor
    rgb = read_out(sharpened(develop(through(light.rgb, captured), t), captured.sharpening), t, sensor)
    grey = develop((light.nir * captured.lamp)[..., None].expand(-1, -1, -1, 3), t)[:, :1]
    depth = light.depth[:, 1::2, 1::2].cpu().numpy()
    artefact = light.artefact[:, 1::2, 1::2].cpu().numpy()
    return rgb, measured_depth(depth, captured, sensor), read_out(grey, t, sensor + 1)[..., 0], artefact


def _instrument(scene: Scene, target: Scene, t: dict[str, Tensor], species: str, side: int, seed: int) -> _Light:
    live = Layers.of(t, side)
    bare = _Light(
        live.picture, live.near_infrared(), live.depth(), torch.zeros_like(live.picture[..., 0], dtype=torch.bool)
    )
    if species == LIVE:
        return bare
    rng = [seeds.rng("phantom", "attack", species, seed, int(s)) for s in scene.sensor]
    if SPECIES[species] == "mask":
        return _mask(bare, live, target, t, species, side)
    if SPECIES[species] == "replay":
        return _screen(bare, target, t, species, side, rng)
    return _print(bare, live, target, t, species, side, rng)


def _drawn(rng: list[np.random.Generator], low: float, high: float, like: Tensor) -> Tensor:
    return torch.tensor([r.uniform(low, high) for r in rng], dtype=torch.float32, device=like.device)


def _pictured(target: Scene, like: Tensor, side: int) -> Tensor:
    """What is printed or shown: the target's passport picture, linear ``(n, 3, s, s)``, and nothing of their sensor."""
    posed = target.replace(
        yaw=0.0, pitch=0.0, roll=0.0, shift=0.0, viewpoint=0.0, fill=0.66, distance=900.0, exposure=1.0, occluder=0
    )
    return Layers.of(tensors(posed, str(like.device)), min(_SHOWN, 2 * side)).picture.clamp(0, 1).permute(0, 3, 1, 2)


def _falling(seen: Seen, t: dict[str, Tensor]) -> Tensor:
    """Diffuse light on a matt sheet, ``(n, h, w, 3)``."""
    total = (t["ambient"][:, None] * t["ambient_colour"])[:, None, None].expand(*seen.depth.shape, 3)
    for number in ("", "2", "3"):
        lamp = (t[f"light{number}"][:, None] * t[f"light{number}_colour"])[:, None, None]
        cosine = (seen.normal * towards(t[f"light{number}_direction"])[:, None, None]).sum(-1, keepdim=True)
        total = total + lamp * cosine.clamp(0)
    return total * t["exposure"][:, None, None, None]


def _lamp(seen: Seen, t: dict[str, Tensor]) -> Tensor:
    """Near-infrared on a matt sheet, ``(n, h, w)``, as `light.lamp_beside_camera` on the head."""
    return (0.25 + 0.75 * seen.normal[..., 2]) * (t["distance"][:, None, None] / seen.depth) ** 2 * 0.85


# Millimetres that the target's picture covers at life size: its side over the head's share of it.
_LIFE_SIZE = 228.0 / 0.66
_BANDS = {"printed eyes": (66.0, 4.0, 25.0), "printed mouth": (44.0, -52.0, 40.0)}


def _print(
    bare: _Light, live: Layers, target: Scene, t: dict[str, Tensor], species: str, side: int,
    rng: list[np.random.Generator],
) -> _Light:  # fmt: skip
    worn = SPECIES[species] == "partial"
    seen = look(_on_face(live, t, rng) if worn else _held(live, species, rng), t, side)
    picture = sample(_pictured(target, t["fill"], side), seen.x, seen.y, torch.full_like(t["fill"], _LIFE_SIZE))
    shares = separations(picture)
    if species != "photo":
        shares = halftoned(shares, seen.x, seen.y, seen.step, 2.4)
    colour, near_ir = inked(shares, "dye" if species == "photo" else "carbon")
    paper = _outline(species, seen)
    if worn:
        # Hair and what is nearer than the paper stay before it.
        paper = paper & (seen.depth < bare.depth + 25.0)
    return bare.over(paper, colour * _falling(seen, t), near_ir * _lamp(seen, t), seen.depth)


def _held(live: Layers, species: str, rng: list[np.random.Generator]) -> Sheet:
    """A sheet in hands before the face, all but upright."""
    front = live.view.camera[..., 2].amax(1)
    middle = torch.stack([torch.zeros_like(front), torch.full_like(front, -6.0), front + 40.0], 1)
    tilt = torch.stack([_drawn(rng, -0.14, 0.14, front), _drawn(rng, -0.14, 0.14, front)], 1)
    curved = species in ("bent print", "cut print")
    bend = _drawn(rng, 1 / 840, 1 / 460, front) if curved else _drawn(rng, -1 / 6000, 1 / 6000, front)
    return Sheet(middle, tilt, bend, _drawn(rng, -4, 4, front))


def _on_face(live: Layers, t: dict[str, Tensor], rng: list[np.random.Generator]) -> Sheet:
    """Paper that is bent around the face and turns with the head."""
    turn = rotation(t["yaw"], t["pitch"], t["roll"])
    pivot = torch.tensor(PIVOT, device=turn.device)
    # Just before the tip of the nose as it is without a turn.
    still = (live.view.camera - pivot) @ turn + pivot
    front = still[..., 2].amax(1) + 1.0
    before = torch.stack([torch.zeros_like(front), torch.zeros_like(front), front], 1)
    middle = ((before - pivot)[:, None] @ turn.transpose(1, 2))[:, 0] + pivot
    facing = turn[:, :, 2]
    tilt = -facing[:, :2] / facing[:, 2:].clamp(min=0.3)
    return Sheet(middle, tilt, _drawn(rng, 1 / 520, 1 / 360, front), t["roll"])


def _outline(species: str, seen: Seen) -> Tensor:
    """Where the paper is."""
    if species in _BANDS:
        wide, middle, high = _BANDS[species]
        return ((seen.x / wide).abs() < 1) & (((seen.y - middle) / high).abs() < 1)
    if species == "printed glasses":
        outer = (((seen.x.abs() - 31) / 31) ** 4 + ((seen.y + 1) / 23) ** 4) < 1
        inner = (((seen.x.abs() - 31) / 21) ** 4 + ((seen.y + 1) / 14) ** 4) < 1
        return outer & ~inner
    if species == "cut print":
        return (((seen.x / 82) ** 2 + ((seen.y - 4) / 124) ** 2) < 1) & ~_holes(seen)
    # A sheet of A4.
    return (seen.x.abs() < 105) & (seen.y.abs() < 148)


def _holes(seen: Seen) -> Tensor:
    return (((seen.x.abs() - 30) / 17) ** 2 + (seen.y / 9) ** 2) < 1


def _screen(
    bare: _Light, target: Scene, t: dict[str, Tensor], species: str, side: int, rng: list[np.random.Generator]
) -> _Light:
    distance = t["distance"]
    hand = species == "phone"
    half_x, half_y, pitch, bezel = (36.0, 76.0, 0.065, 4.0) if hand else (260.0, 146.0, 0.27, 14.0)
    near = distance * _drawn(rng, 0.62, 0.70, distance) if hand else torch.full_like(distance, 110.0)
    middle = torch.stack([torch.zeros_like(near), torch.full_like(near, -6.0), near], 1)
    tilt = torch.stack([_drawn(rng, -0.08, 0.08, distance), _drawn(rng, -0.08, 0.08, distance)], 1)
    seen = look(Sheet(middle, tilt, torch.zeros_like(near), _drawn(rng, -3, 3, near)), t, side)
    side_mm = torch.full_like(distance, 112.0 if hand else _LIFE_SIZE)
    shown = sample(_pictured(target, distance, side), seen.x, seen.y, side_mm)
    bright = _drawn(rng, 0.75, 1.1, distance)[:, None, None, None]
    emitted = (0.012 + 0.988 * shown) * bright * striped(seen.x, seen.y, seen.step, pitch)
    # Glass sends back a little of the room, most where a lamp is mirrored.
    room = 0.03 * _falling(seen, t)
    spot = torch.stack([seen.x / half_x - _drawn(rng, -0.8, 0.8, distance)[:, None, None],
                        seen.y / half_y - _drawn(rng, -0.8, 0.8, distance)[:, None, None]], -1)  # fmt: skip
    glare = 0.25 * torch.exp(-((spot / 0.35) ** 2).sum(-1))[..., None] * t["light"][:, None, None, None]
    lit = (seen.x.abs() < half_x) & (seen.y.abs() < half_y)
    frame = (seen.x.abs() < half_x + bezel) & (seen.y.abs() < half_y + bezel)
    rgb = torch.where(lit[..., None], emitted + room + glare, 0.02 * _falling(seen, t) + 0.002)
    # Screens emit no near-infrared, and their dark filters send little back.
    return bare.over(frame, rgb, 0.008 * _lamp(seen, t), seen.depth)


def _mask(bare: _Light, live: Layers, target: Scene, t: dict[str, Tensor], species: str, side: int) -> _Light:
    """The target's face as a shell of 3 mm on the attacker's head: it does not move, and it has holes for the eyes."""
    tint, grey, near_ir = _MASKS[species]
    face = tensors(target, str(live.picture.device))
    # The attacker's head, pose, light and camera carry the target's face.
    looks = ("modes", "moles", "gender", "age", "melanin", "haemoglobin", "brow_density")
    worn = {**t, **{name: face[name] for name in looks}}
    worn |= {"movements": torch.zeros_like(t["movements"]), "fill": t["fill"] * 1.02}
    for name in ("beard", "moustache", "stubble", "glasses", "mask", "occluder", "headwear"):
        worn[name] = torch.zeros_like(t[name])
    shell = Layers.of(worn, side)
    s, paint = shell.surface, shell.paint
    hole = ((s.x.abs() - 30) / 17) ** 2 + ((s.y - 0.5) / 8.5) ** 2 < 1
    there = (s.kind == HEAD) & (s.theta.abs() < 1.2) & (s.y < 60) & (paint.part != PART["hair"]) & ~hole
    pixels = shell.hits.pixel[there]
    flat = torch.zeros(shell.picture.shape[0] * side * side, dtype=torch.bool, device=pixels.device)
    mask = flat.index_fill(0, pixels, True).reshape(-1, side, side)
    depth = shell.depth() - 3.0
    base = torch.tensor(tint, device=pixels.device)
    luminance = shell.picture.mean(-1, keepdim=True)
    colour = torch.lerp(shell.picture * base, luminance.expand_as(shell.picture), grey)
    if species == "paper mask":
        colour = inked(separations(colour), "dye")[0]
    reflected = torch.where(mask, near_ir / 0.55, 1.0) * shell.near_infrared()
    return bare.over(mask, colour, reflected, depth)
