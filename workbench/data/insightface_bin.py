"""InsightFace's verification lists (``lfw.bin``, ``cfp_fp.bin``, ``agedb_30.bin``, ...): aligned pictures in pairs.

One file, a pickle of (2 n encoded pictures, n bools); pictures 2i and 2i + 1 are pair i. It is read without an
unpickler. The folds are those of ``arcface_torch/eval/verification.py`` in ``deepinsight/insightface``: ten contiguous
blocks of pairs in the file's order, as scikit-learn's ``KFold`` without shuffling cuts them. Two files of one name may
hold different pictures (two called ``lfw.bin`` are known), so compare digests, not names.

The file does not say who the people are. Pictures with equal bytes and pictures that a mated pair links are one
capture subject; so a person whose pictures no chain of mated pairs links counts as several people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, ParameterError, Samples, Trials
from . import writing
from .folder import check_protocol

People = Literal["linked", "pairs"]


@dataclass(frozen=True)
class InsightFaceBin:
    """Pairs of one file; see `open` for the fields."""

    path: Path
    content: files.PairFile
    folds: int = 10
    people: People = "linked"
    name: str = "insightface-bin"
    licence: str = "that of the pictures' publisher; the people did not agree to be there"
    real: bool = True
    protocols: tuple[str, ...] = ("pairs",)

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self.content.digest

    def samples(self, protocol: str = "") -> Samples:
        """All pictures in the file's order, those that it holds several times too."""
        check_protocol(self, protocol)
        stem = self.path.stem
        return Samples(
            f"{self.name}/{stem}",
            tuple(f"{stem}/{i:06d}" for i in range(len(self._codes))),
            np.array([f"{stem}-{code:06d}" for code in self._codes]),
            files.EncodedImages(self.content.pictures, self.path.name),
            licence=self.licence,
            real=self.real,
            digest=self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """The pairs in their order; no folds where there are fewer pairs than folds."""
        check_protocol(self, protocol)
        mated = self.content.mated
        return Trials(
            np.arange(0, 2 * len(mated), 2),
            np.arange(1, 2 * len(mated), 2),
            mated,
            self._codes.reshape(-1, 2),
            blocks(len(mated), self.folds) if 2 <= self.folds <= len(mated) else None,
            f"{self.name}/{self.path.stem}",
        )

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        """``(2 n,)`` capture subjects."""
        mated = self.content.mated
        if self.people == "pairs":
            first = 2 * np.arange(len(mated))
            return np.stack([first, np.where(mated, first, first + 1)], 1).ravel()
        codes = _linked(self.content)
        pairs = codes.reshape(-1, 2)
        wrong = np.flatnonzero((pairs[:, 0] == pairs[:, 1]) & ~mated)
        if len(wrong):
            raise DataError(
                f"{self.path.name} calls {len(wrong)} pairs non-mated whose pictures its mated pairs link",
                given=f"first pair {wrong[0]}",
                expected="labels that agree",
                do="open it with people='pairs': every pair then has people of its own",
            )
        return codes


def blocks(pairs: int, folds: int) -> NDArray[np.int64]:
    """Contiguous folds ``(pairs,)``, the first ones longer by one where they do not divide evenly."""
    parts = np.array_split(np.arange(pairs), folds)
    return np.repeat(np.arange(folds), [len(part) for part in parts])


def _linked(content: files.PairFile) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    known: dict[bytes, int] = {}
    node = np.array([known.setdefault(picture, len(known)) for picture in content.pictures], np.int64)
    ends = node.reshape(-1, 2)[content.mated]
    links = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (len(known), len(known)))
    codes: NDArray[np.int64] = connected_components(links, directed=False)[1][node].astype(np.int64)
    return codes


def open(
    path: str = "", *, folds: int = 10, people: People = "linked", limits: files.PairLimits | None = None
) -> InsightFaceBin:
    """The pairs of a ``.bin`` file.

    Args:
        path: the file, or a folder with one ``.bin`` in it.
        folds: how many blocks the pairs are cut into; ten are published.
        people: ``"linked"`` finds capture subjects through mated pairs and equal pictures; ``"pairs"`` gives every
            pair people of its own, so that intervals treat pairs as independent.
        limits: on the file's size and its number of pictures.

    Raises:
        DataError: no such file, or it holds anything but pictures and bools.
    """
    if people not in ("linked", "pairs"):
        raise ParameterError("unknown way to tell people", given=people, expected="'linked' or 'pairs'")
    file = Path(path)
    if path and file.is_dir():
        found = sorted(file.glob("*.bin"))
        if len(found) != 1:
            given = ", ".join(f.name for f in found[:10]) or "none"
            raise DataError(f"{file.name} holds {len(found)} .bin files", given=given, do="name one of them")
        file = found[0]
    if not path or not file.is_file():
        raise DataError("there is no such file", given=path or "no path", expected="insightface-bin:PATH/lfw.bin")
    return InsightFaceBin(file, files.read_pair_pickle(file, limits=limits), folds, people)


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    file: str = "pairs.bin",
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write trials as an InsightFace ``.bin`` in a folder of its own.

    Names of people and pictures are lost, as the layout has none. Folds are not written either: they must be the
    blocks that a reader cuts, and a reader that is not told otherwise cuts ten.

    Args:
        samples: the pictures; published ones are 112 x 112 chips.
        trials: written in the order of their folds.
        folder: new or empty, unless ``replace``.
        file: name of the file in it.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        The file, which `open` opens.

    Raises:
        DataError: no trials, or folds that are no contiguous blocks.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is None or not len(trials):
        raise DataError("an InsightFace .bin is a list of pairs", given="no trials", expected="trials")
    order = np.arange(len(trials))
    if trials.fold is not None:
        order = np.argsort(trials.fold, kind="stable")
        count = int(trials.fold.max()) + 1
        if trials.fold.min() < 0 or not np.array_equal(trials.fold[order], blocks(len(trials), count)):
            raise DataError(
                "the folds are no equal blocks of pairs",
                given=f"sizes {np.bincount(np.maximum(trials.fold, 0)).tolist()[:20]}",
                expected=f"{len(trials)} pairs cut into {count} blocks",
                do="take a subset of the trials, or drop the folds",
            )
    sides = np.stack([trials.reference[order], trials.probe[order]], 1).ravel().tolist()
    name = writing.path_part(file, "a file name")
    with writing.new_folder("insightface-bin", samples, folder, replace) as new:
        encoded = {i: writing.encode(samples.images[i], encoding) for i in sorted(set(sides))}
        new.add(name, files.pair_pickle([encoded[i] for i in sides], trials.mated[order].tolist()))
    return Path(folder) / name
