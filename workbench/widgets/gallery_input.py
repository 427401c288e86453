"""What may be given as a gallery, and the pictures that go with it: kept in memory, never saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import data, files
from ..core import ImageError, ParameterError, Samples, ShapeError
from ..methods.gallery import Gallery, gallery_of, read_gallery
from ..methods.known import known_embeddings
from .showing import shrunk

THUMBNAIL = 96
Progress = Callable[[int, int], None]
Named = tuple[str, str | Path | NDArray[np.uint8]]
Given = str | Path | Samples | Gallery | Sequence[Named] | None


class Thumbnails:
    """A small picture of each reference, made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Callable[[], NDArray[np.uint8]]] = {}

    def add(self, name: str, picture: Callable[[], NDArray[np.uint8]]) -> None:
        """The picture of a reference, by a function that reads it."""
        self._made[name] = picture

    def keep(self, name: str, picture: NDArray[np.uint8]) -> None:
        """The picture of a reference; only its small version is kept."""
        small = shrunk(picture, THUMBNAIL)
        self._made[name] = lambda: small

    def jpeg(self, name: str) -> bytes | None:
        """The picture as JPEG; None where there is none, or none that can be read any more."""
        if name not in self._made:
            return None
        try:
            return files.encode_jpeg(shrunk(self._made[name](), THUMBNAIL), quality=80)
        except ImageError:
            return None


def opened(given: Given, pipeline: Any, folder: str | Path, progress: Progress) -> tuple[Gallery, Thumbnails, bool]:
    """A gallery, its thumbnails, and whether real people may be shown in them.

    Args:
        given: a folder of pictures, a data set's specification, an exported ``.npz``, `Samples`, a `Gallery` or a
            list of ``(name, picture)``; None is empty.
        pipeline: a `models.Pipeline`, which embeds pictures.
        folder: where embeddings of data sets are kept.
        progress: called with how many pictures are done and how many there are.

    Raises:
        ParameterError: it is none of these.
        DataError, StoreError: it cannot be read.
    """
    thumbnails = Thumbnails()
    embedder = pipeline.embedder
    if isinstance(given, Gallery):
        if given.digest != embedder.digest:
            raise ParameterError(
                "the gallery is another model's", given=given.model, expected=embedder.card.name,
                do="name its model, or enrol anew",
            )  # fmt: skip
        return given, thumbnails, True
    if isinstance(given, str | Path) and Path(given).suffix.lower() == ".npz":
        return read_gallery(given, embedder), thumbnails, True
    if isinstance(given, str | Path):
        given = _samples(str(given))
    if given is None:
        given = ()
    if not isinstance(given, Samples):
        return _listed(given, pipeline, thumbnails, progress), thumbnails, True
    found = known_embeddings(given, pipeline, folder, progress=progress)
    gallery = gallery_of(embedder, found, list(given.ids), [str(s) for s in given.subjects])
    for i, name in enumerate(gallery.names.tolist()):
        thumbnails.add(name, lambda i=i, images=given.images: images[i])  # type: ignore[misc]
    return gallery, thumbnails, given.real


def _samples(spec: str) -> Samples:
    name, _ = data.split(spec)
    if name not in data.names() and Path(spec).is_dir():
        spec = f"folder:{spec}"
    options = {"subjects": 24, "images": 2, "size": 224} if spec == "phantom" else {}
    return data.open_dataset(spec, **options).samples()


def _listed(given: Sequence[Named], pipeline: Any, thumbnails: Thumbnails, progress: Progress) -> Gallery:
    pictures: list[NDArray[np.uint8]] = []
    names: list[str] = []
    for item in given:
        if not isinstance(item, tuple) or len(item) != 2 or not isinstance(item[0], str):
            raise ParameterError(
                "this is no gallery", given=type(item).__name__,
                expected="a folder, a data set, an exported .npz, or a list of (name, picture)",
            )  # fmt: skip
        name, shown = item
        picture = files.read_image(shown) if isinstance(shown, str | Path) else np.asarray(shown)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ShapeError("this is no picture", given=(picture.dtype, picture.shape), expected="uint8 (h, w, 3) RGB")
        names.append(name)
        pictures.append(picture)
    found = pipeline.embed(pictures, batch=8, progress=progress)
    gallery = gallery_of(pipeline.embedder, found, names, names)
    for name, picture in zip(gallery.names.tolist(), pictures, strict=True):
        thumbnails.keep(name, picture)
    return gallery
