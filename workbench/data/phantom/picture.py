"""From scenes to pictures and their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...core import ParameterError, UnknownNameError, seeds
from .colour import Paint, Surface, paint
from .raster import Hits, rasterise
from .scene import Scene
from .shape import head_points, points, rotation
from .template import CLOTH, EYE_X, HEAD, NECK, Template, head_point, landmark_places, template, theta_at

TRUTH = ("depth", "normals", "parsing", "landmarks68", "landmarks5", "visible", "box", "albedo", "shading")
CHUNK = 4
_PIVOT = torch.tensor([0.0, -25.0, -15.0])


@dataclass(frozen=True)
class Rendering:
    """Pictures, and what is known of them; what was not asked for is None.

    Attributes:
        rgb: ``uint8 (n, h, w, 3)`` sRGB.
        depth: ``float32 (n, h, w)`` millimetres from the camera, infinite on the background.
        normals: ``float32 (n, h, w, 3)`` in the camera's axes (right, up, towards the camera), 0 on background.
        parsing: ``uint8 (n, h, w)`` index into `PARTS`.
        landmarks68: ``float32 (n, 68, 2)`` pixels, iBUG order, the subject's right side first.
        landmarks5: ``float32 (n, 5, 2)`` eye centres, nose tip, mouth corners.
        visible: ``bool (n, 68)`` whether the camera sees the landmark.
        box: ``float32 (n, 4)`` ``x1 y1 x2 y2`` around the face from chin to hairline.
        albedo, shading: ``float32 (n, h, w, 3)`` linear; their product is the picture before the sensor.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None
    normals: NDArray[np.float32] | None = None
    parsing: NDArray[np.uint8] | None = None
    landmarks68: NDArray[np.float32] | None = None
    landmarks5: NDArray[np.float32] | None = None
    visible: NDArray[np.bool_] | None = None
    box: NDArray[np.float32] | None = None
    albedo: NDArray[np.float32] | None = None
    shading: NDArray[np.float32] | None = None


def render(scene: Scene, size: int = 112, *, device: str = "cpu", truth: Sequence[str] = ()) -> Rendering:
    """Take the pictures of a scene.

    Memory is bounded by a few pictures at a time, whatever the scene's length.

    Args:
        scene: what to show.
        size: side of the square pictures, 16 to 2048 pixels.
        device: where to compute; the same device gives the same bits.
        truth: names of `TRUTH` to return besides.
    """
    if not 16 <= size <= 2048:
        raise ParameterError("picture size is out of range", given=size, expected="16 to 2048 pixels")
    for name in truth:
        if name not in TRUTH:
            raise UnknownNameError("phantom truth", name, TRUTH)
    chunk = max(1, CHUNK * 112**2 // size**2)
    with torch.inference_mode():
        parts = [
            _render(scene.take(slice(i, i + chunk)), size, device, set(truth)) for i in range(0, len(scene), chunk)
        ]
    joined: dict[str, Any] = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    return Rendering(**joined)


@dataclass(frozen=True)
class _View:
    """Geometry of one chunk as the camera sees it."""

    camera: Tensor  # (n, v, 3) millimetres, axes right, up, towards the camera
    screen: Tensor  # (n, v, 2) pixels
    depth: Tensor  # (n, v) millimetres from the camera


def _tensors(scene: Scene, device: str) -> dict[str, Tensor]:
    names = [f.name for f in fields(scene) if isinstance(getattr(scene, f.name), np.ndarray)]
    return {n: torch.from_numpy(getattr(scene, n)).to(device) for n in names}


def _project(space: Tensor, kind: Tensor, t: dict[str, Tensor], side: int) -> _View:
    """Turn the head about its pivot, and look at everything through the camera."""
    pivot = _PIVOT.to(space.device)
    turned = (space - pivot) @ rotation(t["yaw"], t["pitch"], t["roll"]).transpose(1, 2) + pivot
    still = (kind == NECK) | (kind == CLOTH)
    camera = torch.where(still[None, :, None], space, turned)
    depth = t["distance"][:, None] - camera[..., 2]
    per_mm = t["fill"][:, None] * side / 228.0 * t["distance"][:, None] / depth.clamp(min=1.0)
    centre = (0.5 + 0.5 * t["shift"]) * side
    screen = torch.stack(
        [camera[..., 0] * per_mm + centre[:, :1], -(camera[..., 1] + 6.0) * per_mm + centre[:, 1:]], -1
    )
    return _View(camera, screen, depth)


def _normals(view: _View, shape: Template) -> Tensor:
    """``(n, v, 3)`` unit normals from the differences along each grid."""
    out, start = [], 0
    for patch in shape.patches:
        count = patch.rows * patch.columns
        grid = view.camera[:, start : start + count].reshape(-1, patch.rows, patch.columns, 3)
        down = torch.gradient(grid, dim=1)[0]
        right = torch.gradient(grid, dim=2)[0]
        if patch.kind == HEAD:
            # The head's seam at the back: the first and the last column are the same points.
            seam = (grid[:, :, 1] - grid[:, :, -2]) / 2
            right = torch.cat([seam[:, :, None], right[:, :, 1:-1], seam[:, :, None]], 2)
        out.append(torch.linalg.cross(down, right, dim=-1).flatten(1, 2))
        start += count
    return F.normalize(torch.cat(out, 1), dim=-1)


def _render(scene: Scene, size: int, device: str, truth: set[str]) -> dict[str, NDArray[Any]]:
    shape = template()
    t = _tensors(scene, device)
    people = scene.identity
    modes = torch.from_numpy(people.modes).to(device)
    side = 2 * size
    space = points(shape, modes, t["movements"], scene.occluded)
    kind = shape.kind.to(device)
    view = _project(space, kind, t, side)
    triangles = shape.triangles.to(device)
    hits = rasterise(view.screen, view.depth, triangles, side)
    normal = F.normalize(hits.blend(_normals(view, shape), triangles), dim=-1)
    surface = _surface(scene, hits, shape, triangles, modes, t, device)
    colour = paint(surface)
    light = _light(normal, hits.blend(view.camera, triangles), colour, hits, t, surface)
    picture = _compose(scene, hits, colour.colour * light, t, side)
    out: dict[str, NDArray[Any]] = {"rgb": _sensor(picture, scene, t, size)}
    maps = {"normals": normal, "albedo": colour.colour, "shading": light}
    for name in truth & maps.keys():
        out[name] = _map(maps[name], hits, len(scene), side, 0.0)
    if "depth" in truth:
        depth = hits.blend(view.depth[..., None], triangles)
        out["depth"] = _map(depth, hits, len(scene), side, float("inf"))[..., 0]
    if "parsing" in truth:
        out["parsing"] = _map(colour.part[:, None].float(), hits, len(scene), side, 0.0)[..., 0].astype(np.uint8)
    if truth & {"landmarks68", "landmarks5", "visible", "box"}:
        out |= {k: v for k, v in _marks(scene, view, hits, modes, t, side).items() if k in truth}
    return out


def _surface(
    scene: Scene,
    hits: Hits,
    shape: Template,
    triangles: Tensor,
    modes: Tensor,
    t: dict[str, Tensor],
    device: str,
) -> Surface:
    place = hits.blend(shape.place.to(device), triangles)
    theta = hits.blend(shape.theta.to(device)[:, None], triangles)[:, 0]
    people, at = scene.identity, hits.picture
    return Surface(
        place,
        theta,
        shape.kind.to(device)[triangles[hits.triangle, 0]],
        modes[at],
        t["movements"][at],
        t["gaze"][at],
        torch.from_numpy(people.melanin).to(device)[at],
        torch.from_numpy(people.haemoglobin).to(device)[at],
        torch.from_numpy(people.moles).to(device)[at],
        _grain(people.texture, place, theta, at, device),
    )


def _grain(texture: NDArray[np.int64], place: Tensor, theta: Tensor, at: Tensor, device: str) -> Tensor:
    """Fine texture ``(p, 3)`` of each person: mottling, speckles, and strands that run downwards."""
    noise = np.stack([seeds.rng("grain", int(s)).uniform(-1, 1, (3, 96, 96)).astype(np.float32) for s in texture])
    table = torch.from_numpy(noise).to(device)
    y = place[:, 1]
    scales = ((11.0, 0.16), (30.0, 0.34), (60.0, 0.035))
    found = []
    for channel, (turns, rows) in enumerate(scales):
        found.append(_noise(table[:, channel], at, theta * turns, y * rows))
    return torch.stack(found, 1)


def _noise(table: Tensor, at: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Smooth noise: bilinear look-up in a periodic table ``(n, 96, 96)``."""
    side = table.shape[1]
    column, row = torch.floor(u).long(), torch.floor(v).long()
    a, b = u - column, v - row
    c0, c1, r0, r1 = column % side, (column + 1) % side, row % side, (row + 1) % side
    upper = table[at, r0, c0] * (1 - a) + table[at, r0, c1] * a
    lower = table[at, r1, c0] * (1 - a) + table[at, r1, c1] * a
    return upper * (1 - b) + lower * b


def _light(normal: Tensor, place: Tensor, colour: Paint, hits: Hits, t: dict[str, Tensor], surface: Surface) -> Tensor:
    """Incoming light times crevice shade, ``(p, 3)``, so that albedo times it is the picture.

    The key light wraps around by channel, most in red, as light does that scatters under skin; the highlight
    is Blinn and Phong's.
    """
    at = hits.picture
    side, up = (t["light_direction"][at] * (torch.pi / 180)).unbind(1)
    key = torch.stack([side.sin() * up.cos(), up.sin(), side.cos() * up.cos()], 1)
    cosine = (normal * key).sum(1, keepdim=True)
    wrap = torch.tensor([0.34, 0.22, 0.17], device=normal.device)
    diffuse = ((cosine + wrap) / (1 + wrap)).clamp(0)
    sky = t["ambient"][at, None] * (0.72 + 0.28 * normal[:, 1:2])
    view = F.normalize(
        torch.stack([torch.zeros_like(side), torch.zeros_like(side), t["distance"][at]], 1) - place, dim=1
    )
    half = F.normalize(view + key, dim=1)
    shine = (normal * half).sum(1).clamp(0) ** 22 * colour.gloss * 0.16 * t["light"][at] * (cosine[:, 0] > 0)
    strength = t["light"][at, None] * t["light_colour"][at]
    incoming = (strength * diffuse + sky) * colour.shade[:, None]
    return (incoming + (shine[:, None] * t["light_colour"][at]) / colour.colour.clamp(min=0.02)) * t["exposure"][
        at, None
    ]


def _compose(scene: Scene, hits: Hits, seen: Tensor, t: dict[str, Tensor], side: int) -> Tensor:
    """``(n, side, side, 3)`` linear picture: the surface before its background."""
    n = len(scene)
    patterns = np.stack(
        [seeds.rng("backdrop", int(s)).uniform(0, 1, (1, 5, 5)).astype(np.float32) for s in scene.sensor]
    )
    soft = F.interpolate(torch.from_numpy(patterns).to(seen.device), (side, side), mode="bicubic", align_corners=True)
    mix = soft.clamp(0, 1)[:, 0, :, :, None]
    first, second = t["background"][:, 0, None, None], t["background"][:, 1, None, None]
    picture = (first + (second - first) * mix) * t["exposure"][:, None, None, None]
    flat = picture.reshape(n * side * side, 3).clone()
    flat[hits.pixel] = seen
    return flat.reshape(n, side, side, 3)


def _sensor(picture: Tensor, scene: Scene, t: dict[str, Tensor], size: int) -> NDArray[np.uint8]:
    """Average 2 x 2, defocus, expose, encode as sRGB, add noise, quantise."""
    x = F.avg_pool2d(picture.permute(0, 3, 1, 2), 2)
    x = torch.stack([_blurred(p, float(b) * size / 112) for p, b in zip(x, t["blur"], strict=True)])
    x = x.clamp(0, 1)
    encoded = torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-8) ** (1 / 2.4) - 0.055)
    image = encoded.permute(0, 2, 3, 1).cpu().numpy()
    for i, level in enumerate(scene.noise):
        if level > 0:
            drawn = seeds.rng("noise", int(scene.sensor[i])).standard_normal(image[i].shape).astype(np.float32)
            image[i] += level * drawn
    quantised: NDArray[np.uint8] = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return quantised


def _blurred(image: Tensor, sigma: float) -> Tensor:
    """``(3, h, w)`` through a Gaussian of ``sigma`` pixels."""
    if sigma < 0.05:
        return image
    reach = max(1, int(np.ceil(3 * sigma)))
    steps = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    weights = torch.exp(-((steps / sigma) ** 2) / 2)
    weights = (weights / weights.sum())[None, None]
    padded = F.pad(image[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, weights[..., None, :]), weights[..., None])[:, 0]


def _map(values: Tensor, hits: Hits, n: int, side: int, empty: float) -> NDArray[Any]:
    """Per-pixel values ``(p, c)`` as ``(n, h, w, c)``, read at one of each pixel's four samples."""
    full = values.new_full((n * side * side, values.shape[1]), empty)
    full[hits.pixel] = values
    return np.asarray(full.reshape(n, side, side, -1)[:, 1::2, 1::2].cpu().numpy())


def _marks(
    scene: Scene, view: _View, hits: Hits, modes: Tensor, t: dict[str, Tensor], side: int
) -> dict[str, NDArray[Any]]:
    """Landmarks with their visibility, five points and the box."""
    flat = landmark_places()
    theta = theta_at(flat[:, 0], flat[:, 1])
    extra = np.array([[-EYE_X, 0.0], [EYE_X, 0.0], [0.0, 62.0]])
    places = np.concatenate([flat, extra])
    angles = np.concatenate([theta, theta_at(extra[:, 0], extra[:, 1])])
    solid = torch.from_numpy(head_point(angles, places[:, 1])).float()
    space = head_points(solid, torch.from_numpy(angles).float(), modes, t["movements"])
    seen = _project(space, torch.full((len(places),), HEAD, device=space.device), t, side)
    marks = seen.screen / 2
    nearest = torch.full((len(scene) * side * side,), float("inf"), device=space.device)
    nearest[hits.pixel] = hits.blend(view.depth[..., None], template().triangles.to(space.device))[:, 0]
    at = seen.screen.long().clamp(0, side - 1)
    owner = torch.arange(len(scene), device=space.device)[:, None]
    there = nearest[(owner * side + at[..., 1]) * side + at[..., 0]]
    inside = ((seen.screen >= 0) & (seen.screen < side)).all(-1)
    visible = inside & (seen.depth < there + 4.0)
    found = marks.cpu().numpy()
    five = np.stack([found[:, 68], found[:, 69], found[:, 30], found[:, 48], found[:, 54]], 1)
    around = np.concatenate([found[:, :68], found[:, 70:]], 1)
    box = np.concatenate([around.min(1), around.max(1)], 1)
    return {
        "landmarks68": found[:, :68],
        "landmarks5": five,
        "visible": visible[:, :68].cpu().numpy(),
        "box": box,
    }
