"""Templates: many images of one capture subject made into one vector, and their 1:1 comparisons.

The published recipe of IJB-B and IJB-C (Maze et al. 2018, as insightface's scripts have it) has five steps: (1) the
features of an image and of its mirror image are added, (2) their norm is kept or removed, (3) they are multiplied by
the detector's score, (4) a template is the sum over its media of the mean over a medium's images, made unit length,
(5) a pair's score is the dot product. Steps 1 to 3 are `image_features`, step 4 `media_templates`, step 5
`template_scores`. Pooling is one product with a sparse matrix, so that its cost is that of reading the features once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..core import Scores, ShapeError, Trials, nearest

Codes = NDArray[np.int64]
Vectors = NDArray[Any]
TILE = 1024
SPARSE = 64
LOOKUP = 64
BLOCK = 16384


@dataclass(frozen=True)
class Templates:
    """One vector for each of ``k`` templates.

    Attributes:
        names: ``int64 (k,)`` template numbers, rising.
        features: ``(k, d)``; unit length unless the pooling was told otherwise, zero where ``images`` is 0.
        images: ``int64 (k,)`` how many acquired images each was made of.
        rule: how they were made, in words.
    """

    names: Codes
    features: Vectors
    images: Codes
    rule: str

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, names: Codes) -> Codes:
        """Row of each named template."""
        at = self._places(names)
        found = self.names[at] == names if len(self.names) else np.zeros(len(names), bool)
        if not found.all():
            first = str(np.asarray(names)[~found][0])
            raise ShapeError(
                f"{int((~found).sum())} templates are not there",
                given=f"template {first}",
                expected=f"one of {len(self)} templates, e.g. {', '.join(nearest(first, map(str, self.names)))}",
                do="check that images and pairs are of the same protocol",
            )
        return at

    def _places(self, names: Codes) -> Codes:
        """Row of each named template that is there, some row for others."""
        low, high = (int(self.names[0]), int(self.names[-1])) if len(self.names) else (0, 0)
        if high - low > LOOKUP * (len(self.names) + 1):
            return np.searchsorted(self.names, names).clip(0, len(self.names) - 1).astype(np.int64)
        # Template numbers of protocols lie close together: looking up is five times as fast as searching.
        table = np.zeros(high - low + 1, np.int64)
        table[self.names - low] = np.arange(len(self.names))
        place: Codes = table[(np.asarray(names) - low).clip(0, high - low)]
        return place


def unit_length(features: Vectors) -> Vectors:
    """Rows divided by their Euclidean norm; a zero row stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", features, features))[:, None]
    divided: Vectors = np.divide(features, norms, out=np.zeros_like(features), where=norms > 0)
    return divided


def image_features(
    features: Vectors, *, flipped: Vectors | None = None, keep_norm: bool = True, detector: Vectors | None = None
) -> Vectors:
    """Steps 1 to 3 of the IJB recipe: one vector per image.

    Args:
        features: ``(n, d)`` as the network gives them, norm included.
        flipped: ``(n, d)`` of the mirror images, added (not joined); None: no mirror images.
        keep_norm: False makes the vectors unit length after step 1, so that a blurred face weighs as much as another.
        detector: ``(n,)`` score of the face detector, multiplied; None: none.

    Returns:
        ``(n, d)`` in the type of ``features``.
    """
    _check(features)
    if flipped is not None:
        if flipped.shape != features.shape:
            raise ShapeError("mirror images do not fit", given=flipped.shape, expected=features.shape)
        features = features + flipped
    if not keep_norm:
        features = unit_length(features)
    if detector is not None:
        features = features * _weights(detector, len(features), "detector scores").astype(features.dtype)[:, None]
    return features


def media_templates(
    features: Vectors, templates: Codes, media: Codes, *, acquired: NDArray[np.bool_] | None = None, unit: bool = True
) -> Templates:
    """Step 4 of the IJB recipe: mean over the images of a medium, sum over the media of a template.

    So a video of a hundred frames counts as much as one photograph.

    Args:
        features: ``(n, d)`` of `image_features`.
        templates: ``int64 (n,)`` template of each image; an image in two templates is listed twice.
        media: ``int64 (n,)`` photograph or video of each image; numbers need to differ within a template only.
        acquired: ``bool (n,)``, False for an image that is left out as if it were not there.
        unit: make templates unit length.
    """
    used = _used(features, templates, acquired)
    if media.shape != templates.shape:
        raise ShapeError("media do not fit", given=media.shape, expected=templates.shape)
    _, row = np.unique(templates[used], return_inverse=True)
    numbers, column = np.unique(media[used], return_inverse=True)
    _, medium, size = np.unique(row * len(numbers) + column, return_inverse=True, return_counts=True)
    weights = 1.0 / size[medium]
    return _pooled(features, templates, used, weights, unit, "sum over media of the mean over images")


def mean_templates(
    features: Vectors, templates: Codes, *, acquired: NDArray[np.bool_] | None = None, unit: bool = True
) -> Templates:
    """Average pooling: the mean over all images of a template, whatever medium they come from."""
    used = _used(features, templates, acquired)
    return weighted_templates(features, templates, np.ones(len(used)), acquired=acquired, unit=unit, said="mean")


def weighted_templates(
    features: Vectors, templates: Codes, quality: Vectors, *, acquired: NDArray[np.bool_] | None = None,
    unit: bool = True, said: str = "mean weighted by quality",
) -> Templates:  # fmt: skip
    """Quality-weighted pooling: ``sum(q f) / sum(q)`` over the images of a template.

    Args:
        features: ``(n, d)``.
        templates: ``int64 (n,)``.
        quality: ``(n,)``, not negative.
        acquired: ``bool (n,)``, False for an image that is left out.
        unit: make templates unit length.
        said: the pooling in words.
    """
    used = _used(features, templates, acquired)
    weight = _weights(quality, len(features), "qualities")[used]
    _, row = np.unique(templates[used], return_inverse=True)
    whole = np.bincount(row, weight)
    if np.any(whole == 0):
        raise ShapeError(
            f"{int(np.sum(whole == 0))} templates have no image of positive quality",
            do="give a least quality above 0, or leave their images out by acquired=False",
        )
    return _pooled(features, templates, used, weight / whole[row], unit, said)


def _pooled(
    features: Vectors, templates: Codes, used: NDArray[np.bool_], weights: Vectors, unit: bool, said: str
) -> Templates:
    names, row = np.unique(templates, return_inverse=True)
    column = np.flatnonzero(used)
    shape = (len(names), len(features))
    matrix = sparse.csr_matrix((weights.astype(features.dtype), (row[used], column)), shape=shape)
    pooled: Vectors = matrix @ features
    images = np.bincount(row[used], minlength=len(names)).astype(np.int64)
    rule = f"{said}, {'unit length' if unit else 'norm kept'}"
    missing = int(np.sum(~used))
    rule += f", {missing} images that failed to acquire left out" if missing else ""
    return Templates(names.astype(np.int64), unit_length(pooled) if unit else pooled, images, rule)


def _check(features: Vectors) -> None:
    if features.ndim != 2 or features.dtype.kind != "f":
        raise ShapeError(
            "features have the wrong shape", given=(features.shape, features.dtype), expected="float (n, d)"
        )


def _weights(weights: Vectors, n: int, what: str) -> Vectors:
    if weights.shape != (n,) or not np.isfinite(weights).all() or np.any(weights < 0):
        raise ShapeError(f"{what} do not fit", given=weights.shape, expected=f"({n},), finite, not negative")
    return weights


def _used(features: Vectors, templates: Codes, acquired: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Which images count."""
    _check(features)
    used = np.ones(len(features), bool) if acquired is None else acquired
    if templates.shape != (len(features),) or used.shape != (len(features),):
        raise ShapeError(
            "images do not fit together", given=(templates.shape, used.shape), expected=f"({len(features)},) each"
        )
    # A row that holds something not finite has no finite sum: the rows themselves are looked at only then.
    doubtful = np.flatnonzero(~np.isfinite(features.sum(axis=1)) & used)
    bad = int(np.sum(~np.isfinite(features[doubtful]).all(axis=1)))
    if bad:
        raise ShapeError(f"features of {bad} images are not finite", do="say a failure to acquire by acquired=False")
    return used


def template_scores(
    arm: str, templates: Templates, reference: Codes, probe: Codes, subjects: Codes, *,
    mated: NDArray[np.bool_] | None = None, name: str = "",
) -> Scores:  # fmt: skip
    """Step 5 of the IJB recipe: dot products of listed pairs of templates.

    Args:
        arm: name of the model.
        templates: pooled.
        reference: ``int64 (n,)`` template number of each pair.
        probe: ``int64 (n,)``.
        subjects: ``int64 (k,)`` capture subject of each of ``templates``, in the order of their names.
        mated: ``bool (n,)`` the protocol's own labels, to be checked against the subjects.
        name: of the protocol.

    Returns:
        A template without any acquired image, or with a zero vector, fails to acquire.
    """
    if subjects.shape != (len(templates),):
        raise ShapeError("subjects do not fit the templates", given=subjects.shape, expected=(len(templates),))
    rows = np.stack([templates.rows(reference), templates.rows(probe)], axis=1)
    people = subjects[rows]
    same = people[:, 0] == people[:, 1]
    if mated is not None and np.any(mated != same):
        raise ShapeError(
            f"{int(np.sum(mated != same))} labels disagree with the capture subjects of the templates",
            do="check that pairs and subjects are of the same release of the protocol",
        )
    there = (templates.images > 0) & np.any(templates.features != 0, axis=1)
    acquired = there[rows].all(axis=1)
    values = dot_products(templates.features, rows)
    values[~acquired] = np.nan
    return Scores(arm, Trials(rows[:, 0], rows[:, 1], same, people, None, name), values, acquired)


def dot_products(features: Vectors, rows: Codes) -> NDArray[np.float64]:
    """Dot products of listed pairs of rows.

    Pairs are sorted into tiles of used references by used probes. A tile in which at least one cell in 64 is listed is
    one matrix product; in others each pair is multiplied by itself. Sums run in another order than one by one, so that
    single precision agrees to about 1e-6.

    Args:
        features: ``(k, d)``.
        rows: ``int64 (n, 2)``.
    """
    values = np.empty(len(rows))
    sides = [_compressed(features, rows[:, side]) for side in (0, 1)]
    (left, first), (right, second) = sides
    wide = len(right) // TILE + 1
    tile = first // TILE * wide + second // TILE
    # The smallest integers, because NumPy sorts those by counting.
    order = np.argsort(tile.astype(np.min_scalar_type(int(tile.max(initial=0)))), kind="stable")
    starts = np.flatnonzero(np.diff(tile[order], prepend=-1)) if len(rows) else np.zeros(0, np.int64)
    for members in np.split(order, starts[1:]) if len(rows) else ():
        down, across = (int(c[members[0]]) // TILE * TILE for c in (first, second))
        block = left[down : down + TILE], right[across : across + TILE]
        if len(block[0]) * len(block[1]) <= SPARSE * len(members):
            values[members] = (block[0] @ block[1].T)[first[members] - down, second[members] - across]
            continue
        for start in range(0, len(members), BLOCK):
            some = members[start : start + BLOCK]
            values[some] = np.einsum("ij,ij->i", left[first[some]], right[second[some]])
    return values


def _compressed(features: Vectors, rows: Codes) -> tuple[Vectors, Codes]:
    """The rows that are used, each once, and where each of ``rows`` went."""
    used = np.zeros(len(features), bool)
    used[rows] = True
    return features[used], np.cumsum(used)[rows] - 1
