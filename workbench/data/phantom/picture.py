"""From scenes to pictures and their truth."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...core import ParameterError, UnknownNameError
from . import truth as truths
from .camera import View, project
from .colour import paint
from .infrared import near_infrared
from .light import hollowness, illuminate, normals, unit
from .noise import uniform
from .parts import kinds_shown, points
from .raster import Hits, rasterise
from .scene import Scene
from .sensor import develop, read_out
from .surface import PART, Paint, Surface
from .template import HEAD, LENS, resident, template, triangles_of
from .undertone import DARKNESS, undertone

TRUTH = ("depth", "normals", "nir", "parsing", "landmarks68", "landmarks5", "visible", "box", "albedo", "shading",
         "uv", "scale")  # fmt: skip
# Pictures of side 112 at a time: more would leave a processor's caches, fewer would leave a GPU without work.
CHUNK, GPU_CHUNK = 8, 1024
# Sides of the tables of fine texture and of what mixes the background's colours.
_GRAIN, _BACKDROP = 96, 5
# Threads that feed a GPU: what a picture's sensor does is done by the processor.
_FEEDERS = 8


@dataclass(frozen=True)
class Rendering:
    """Pictures, and what is known of them; what was not asked for is None.

    Attributes:
        rgb: ``uint8 (n, h, w, 3)`` sRGB.
        depth: ``float32 (n, h, w)`` millimetres from the camera, infinite on the background.
        normals: ``float32 (n, h, w, 3)`` in the camera's axes (right, up, towards the camera), 0 on background.
        nir: ``uint8 (n, h, w)`` near-infrared picture at about 940 nm, lit by a lamp beside the camera.
        parsing: ``uint8 (n, h, w)`` index into `PARTS`.
        landmarks68: ``float32 (n, 68, 2)`` pixels, whole numbers at their centres, iBUG order, the subject's right
            side first.
        landmarks5: ``float32 (n, 5, 2)`` eye centres, nose tip, mouth corners.
        visible: ``bool (n, 68)`` whether the camera sees the landmark.
        box: ``float32 (n, 4)`` ``x1 y1 x2 y2`` around the face from chin to hairline.
        albedo, shading: ``float32 (n, h, w, 3)`` linear; their product is the picture before the sensor.
        uv: ``float32 (n, h, w, 2)`` place on the head's unrolled surface in [0, 1], NaN off the head.
        scale: ``float32 (n,)`` millimetres a pixel at the eyes.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None
    normals: NDArray[np.float32] | None = None
    nir: NDArray[np.uint8] | None = None
    parsing: NDArray[np.uint8] | None = None
    landmarks68: NDArray[np.float32] | None = None
    landmarks5: NDArray[np.float32] | None = None
    visible: NDArray[np.bool_] | None = None
    box: NDArray[np.float32] | None = None
    albedo: NDArray[np.float32] | None = None
    shading: NDArray[np.float32] | None = None
    uv: NDArray[np.float32] | None = None
    scale: NDArray[np.float32] | None = None


def render(scene: Scene, size: int = 112, *, device: str = "cpu", truth: Sequence[str] = ()) -> Rendering:
    """Take the pictures of a scene.

    Memory is bounded by a few pictures at a time, whatever the scene's length.

    Args:
        scene: what to show.
        size: side of the square pictures, 16 to 2048 pixels.
        device: where to compute; the same device gives the same bits.
        truth: names of `TRUTH` to return besides.
    """
    _check(size)
    for name in truth:
        if name not in TRUTH:
            raise UnknownNameError("phantom truth", name, TRUTH)
    on_gpu = device != "cpu"
    chunk = max(1, (GPU_CHUNK if on_gpu else CHUNK) * 112**2 // size**2)
    starts = range(0, len(scene), chunk)

    def draw(start: int) -> dict[str, NDArray[Any]]:
        # Not inference mode: what is cached on the way must serve `render_tensor`, too.
        with torch.no_grad():
            return _render(scene.take(slice(start, start + chunk)), size, device, frozenset(truth))

    threads = min(_FEEDERS, torch.get_num_threads()) if on_gpu else torch.get_num_threads()
    if threads > 1 and len(starts) > 1:
        # A core for each chunk is faster than all cores for one; the number holds for the worker's thread alone.
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as workers:
            parts = list(workers.map(draw, starts))
    else:
        parts = [draw(start) for start in starts]
    joined: dict[str, Any] = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    return Rendering(**joined)


def render_tensor(scene: Scene, size: int = 112, *, device: str = "cpu", **factors: Tensor) -> Tensor:
    """Noiseless pictures as a tensor that knows its gradient.

    Which triangle a pixel sees is not differentiated: gradients are those of the surfaces inside their outlines.

    Args:
        scene: what to show.
        size: side of the square pictures.
        device: where to compute.
        **factors: tensors in place of the scene's factors or of ``modes`` ``(n, len(MODES))``, ``albedo``
            ``(n, 3)`` (a gain on all surface colours) and so on; those that require gradients get them.

    Returns:
        ``float32 (n, 3, size, size)`` sRGB in [0, 1].
    """
    _check(size)
    t = tensors(scene, device)
    for name, value in factors.items():
        if name not in t:
            raise UnknownNameError("phantom factor", name, t)
        t[name] = value
    return develop(Layers.of(t, 2 * size).picture, t)


def _check(size: int) -> None:
    if not 16 <= size <= 2048:
        raise ParameterError("picture size is out of range", given=size, expected="16 to 2048 pixels")


def tensors(scene: Scene, device: str) -> dict[str, Tensor]:
    """A scene's factors and people on a device."""
    people, at = scene.identity, torch.device(device)
    arrays: dict[str, NDArray[Any]] = {
        **scene.factors, "modes": people.modes, "moles": people.moles, "albedo": np.ones((len(scene), 3), np.float32),
    }  # fmt: skip
    t = {k: torch.from_numpy(np.ascontiguousarray(v)).to(at) for k, v in arrays.items()}
    textures, of = np.unique(people.texture, return_inverse=True)
    grain = uniform(textures, 4 * _GRAIN * _GRAIN, at).reshape(-1, 4, _GRAIN, _GRAIN) * 2 - 1
    t["grain"] = grain.index_select(0, torch.from_numpy(of).to(at))
    t["backdrop"] = uniform(scene.pattern, _BACKDROP * _BACKDROP, at).reshape(-1, _BACKDROP, _BACKDROP)
    return t


@dataclass(frozen=True)
class Layers:
    """What one chunk of pictures consists of, in double resolution.

    Attributes:
        view: the points as the camera sees them.
        hits: the pixels that see a surface, ``p`` of them.
        normal, place: ``(p, 3)`` in the camera's axes.
        surface, paint: of the pixels.
        light: ``(p, 3)``.
        picture: ``(n, side, side, 3)`` linear.
        side: of the pictures.
        t: the factors.
    """

    view: View
    hits: Hits
    normal: Tensor
    place: Tensor
    surface: Surface
    paint: Paint
    light: Tensor
    picture: Tensor
    side: int
    t: dict[str, Tensor]

    @staticmethod
    def of(t: dict[str, Tensor], side: int) -> Layers:
        """Draw what the factors ``t`` say, ``side`` pixels a side."""
        shape = template()
        device = t["yaw"].device
        kind = resident(shape.kind, device)
        space = points(shape, t)
        view = project(space, kind, t, side)
        normal = normals(view.camera, shape)
        n, v = view.depth.shape
        hits = rasterise(view.screen, view.depth, resident(triangles_of(kinds_shown(t)), device), side)
        place = torch.cat([resident(shape.place, device), resident(shape.theta, device)[:, None]], 1).expand(n, -1, -1)
        tone = undertone(t)
        tone[..., DARKNESS] += hollowness(view.camera, normal, shape)
        seen = hits.blend(torch.cat([place, normal, view.camera, tone], 2))
        kinds = kind.index_select(0, hits.corners[:, 0] % v)
        surface = Surface(seen[:, :3], seen[:, 3], kinds, hits.picture, seen[:, 10:14], t)
        paint_ = paint(surface)
        paint_.colour = paint_.colour * t["albedo"].index_select(0, hits.picture)
        facing, camera = torch.stack(unit(*seen[:, 4:7].unbind(1)), 1), seen[:, 7:10]
        light = illuminate(facing, camera, paint_, hits.picture, t)
        picture = _through_lenses(_composed(paint_.colour * light, hits, t, side), view, hits, paint_, t, side)
        return Layers(view, hits, facing, camera, surface, paint_, light, picture, side, t)

    def map(self, values: Tensor, empty: float = 0.0) -> NDArray[Any]:
        """Per-pixel values ``(p, c)`` as ``(n, h, w, c)``, read at one of each pixel's four samples."""
        n = len(self.picture)
        full = values.new_full((n * self.side**2, values.shape[1]), empty)
        full[self.hits.pixel] = values
        return np.asarray(full.reshape(n, self.side, self.side, -1)[:, 1::2, 1::2].cpu().numpy())

    def near_infrared(self) -> Tensor:
        """``(n, side, side)`` linear, lit by a lamp beside the camera; the background is far away."""
        n, side = len(self.picture), self.side
        seen = near_infrared(self.surface, self.paint, self.normal, self.place, self.hits.picture)
        dark = self.t["background"].mean((1, 2)).mul(0.12)[:, None].expand(n, side * side).reshape(-1)
        return dark.index_copy(0, self.hits.pixel, seen).reshape(n, side, side)

    def depth(self) -> Tensor:
        """``(n, side, side)`` millimetres from the camera, infinite on the background."""
        full = torch.full((len(self.picture) * self.side**2,), float("inf"), device=self.picture.device)
        found = self.hits.blend(self.view.depth[..., None])[:, 0]
        return full.index_copy(0, self.hits.pixel, found).reshape(len(self.picture), self.side, self.side)


def _composed(seen: Tensor, hits: Hits, t: dict[str, Tensor], side: int) -> Tensor:
    """``(n, side, side, 3)`` linear picture: the surface before its background."""
    n = len(t["yaw"])
    smooth = resident(_smooth(side), seen.device)
    mix = (smooth @ t["backdrop"].double() @ smooth.T).float().clamp(0, 1)[..., None]
    first, second = (t["background"] * t["exposure"][:, None, None]).unbind(1)
    flat = torch.lerp(first[:, None, None], second[:, None, None], mix).reshape(n * side * side, 3)
    laid = flat.index_copy if torch.is_grad_enabled() else flat.index_copy_
    return laid(0, hits.pixel, seen).reshape(n, side, side, 3)


@functools.lru_cache(maxsize=8)
def _smooth(side: int) -> Tensor:
    """``(side, 5)``: what each of the backdrop's values adds to the places of a side, a cubic interpolation."""
    return F.interpolate(torch.eye(_BACKDROP).double()[None, None], (side, 5), mode="bicubic", align_corners=True)[0, 0]


def _through_lenses(picture: Tensor, view: View, hits: Hits, under: Paint, t: dict[str, Tensor], side: int) -> Tensor:
    """Glasses are a second, clear layer: a tint and a reflection of the sky; an opaque one is their own part."""
    if not bool((t["glasses"] > 0).any()):
        return picture
    lens = rasterise(view.screen, view.depth, resident(triangles_of(frozenset({LENS})), picture.device), side)
    behind = torch.full((picture.shape[0] * side * side,), float("inf"), device=picture.device)
    behind[hits.pixel] = hits.blend(view.depth[..., None])[:, 0]
    front = lens.blend(view.depth[..., None])[:, 0] < behind[lens.pixel]
    pixel, at = lens.pixel[front], lens.picture[front]
    tint = t["glasses_tint"][at, None]
    flat = picture.flatten(0, 2)
    row = (pixel // side) % side / side
    glare = (0.10 * torch.exp(-(((row - 0.40) / 0.05) ** 2)))[:, None] * t["light"][at, None] * t["exposure"][at, None]
    seen = flat[pixel] * (1 - 0.97 * tint) + 0.01 * tint + glare * (0.25 + 0.75 * tint)
    parted = torch.full_like(behind, -1).long()
    parted[hits.pixel] = torch.arange(len(hits.pixel), device=picture.device)
    opaque = parted[pixel][(tint[:, 0] > 0.5) & (parted[pixel] >= 0)]
    under.part = under.part.index_fill(0, opaque, PART["glasses"])
    return flat.index_copy(0, pixel, seen).reshape(picture.shape)


def _render(scene: Scene, size: int, device: str, truth: frozenset[str]) -> dict[str, NDArray[Any]]:
    t = tensors(scene, device)
    layers = Layers.of(t, 2 * size)
    out: dict[str, NDArray[Any]] = {"rgb": read_out(develop(layers.picture, t), t, scene.sensor)}
    for name in truth & _MAPS.keys():
        out[name] = _MAPS[name](layers)
    if truth & truths.MARKS:
        pixels = (layers.hits.pixel, layers.hits.blend(layers.view.depth[..., None])[:, 0], layers.paint.part)
        found = truths.marks(layers.view, pixels, t, layers.side)
        out |= {k: v for k, v in found.items() if k in truth}
    return out


def _nir(layers: Layers) -> NDArray[np.uint8]:
    grey = develop(layers.near_infrared()[..., None].expand(-1, -1, -1, 3), layers.t)[:, :1]
    return read_out(grey, layers.t, layers.t["sensor"].cpu().numpy() + 1)[..., 0]


def _uv(layers: Layers) -> NDArray[np.float32]:
    s = layers.surface
    unrolled = torch.stack([s.theta / (2 * torch.pi) + 0.5, (114 - s.y) / 228], 1)
    found: NDArray[np.float32] = layers.map(torch.where((s.kind == HEAD)[:, None], unrolled, torch.nan), float("nan"))
    return found


_MAPS = {
    "depth": lambda ly: ly.map(ly.hits.blend(ly.view.depth[..., None]), float("inf"))[..., 0],
    "normals": lambda ly: ly.map(ly.normal),
    "nir": _nir,
    "parsing": lambda ly: ly.map(ly.paint.part[:, None].float())[..., 0].astype(np.uint8),
    "albedo": lambda ly: ly.map(ly.paint.colour),
    "shading": lambda ly: ly.map(ly.light),
    "uv": _uv,
}
