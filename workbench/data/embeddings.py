"""Embeddings in a file, and the trials on them: all pairs, or those of a list.

Arrays of the ``.npz``: ``embeddings (n, d)``, ``subjects (n,)``; further ``names (n,)``, ``acquired (n,)`` and
``model (n,)``, which names one model in every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, ParameterError, Scores, Trials, nearest
from .lfw import Pair, read_pairs
from .protocols import codes, every_pair

ALL_PAIRS = "all-pairs"
MOST_PAIRS = 20_000_000
ARRAYS = ("embeddings", "subjects", "names", "acquired", "model")
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Embedded:
    """What a file of embeddings holds.

    Attributes:
        name: of the file.
        embeddings: ``float32`` or ``float64 (n, d)``, of length 1 where acquired, 0 elsewhere.
        subjects: ``(n,)`` capture subjects.
        names: ``(n,)`` names of the samples; their numbers where the file has none.
        acquired: ``bool (n,)``.
        digest: SHA-256 of the file.
        model: what made the embeddings, "" where the file does not say.
    """

    name: str
    embeddings: NDArray[np.floating[Any]]
    subjects: NDArray[np.str_]
    names: NDArray[np.str_]
    acquired: NDArray[np.bool_]
    digest: str = ""
    model: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def pairs(self) -> int:
        """How many two samples there are."""
        return len(self) * (len(self) - 1) // 2

    def compare(self, trials: Trials) -> Scores:
        """Cosine of every trial's embeddings, summed in double precision."""
        values = np.full(len(trials), np.nan)
        acquired = self.acquired[trials.reference] & self.acquired[trials.probe]
        for start in range(0, len(trials), _BLOCK):
            at = slice(start, start + _BLOCK)
            sides = (self.embeddings[i[at]].astype(np.float64) for i in (trials.reference, trials.probe))
            values[at] = np.einsum("nd,nd->n", *sides)
        return Scores(Path(self.name).stem, trials, np.where(acquired, values, np.nan), acquired)


def read_embeddings(path: str | Path) -> Embedded:
    """Embeddings out of a ``.npz`` file.

    Raises:
        StoreError: the file is absent or unreadable.
        DataError: it is damaged, an array is missing, unknown or of another length, or an embedding that is not
            marked as failed is not finite or has length 0; the message names the row.
    """
    file = Path(path)
    arrays = files.read_arrays(file)
    _check_arrays(file.name, arrays)
    found = arrays["embeddings"]
    acquired = arrays.get("acquired", np.ones(len(found))).astype(bool)
    wide = found.astype(np.float64 if found.dtype == np.float64 else np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    bad = acquired & ~(np.isfinite(length[:, 0]) & (length[:, 0] > 0))
    if bad.any():
        raise DataError(
            f"{file.name}, row {int(np.argmax(bad))}: the embedding has no direction",
            given=f"{int(bad.sum())} embeddings with NaN, infinity or length 0",
            expected="finite embeddings; a failure to acquire is said by acquired = 0",
            do="repair the embeddings, or add an array 'acquired' with 0 where a sample failed to acquire",
        )
    unit = np.zeros_like(wide)
    np.divide(wide, length, out=unit, where=acquired[:, None])
    names = arrays["names"].astype(np.str_) if "names" in arrays else np.arange(len(found)).astype(np.str_)
    if len(np.unique(names)) < len(names):
        raise DataError(f"{file.name}: names are not unique", expected="one name for every embedding")
    made_by = np.unique(arrays.get("model", np.array([""])).astype(np.str_))
    if len(made_by) > 1:
        raise DataError(
            f"{file.name} holds embeddings of several models",
            given=", ".join(made_by[:3].tolist()),
            expected="one model",
        )
    subjects, digest = arrays["subjects"].astype(np.str_), files.sha256_file(file)
    return Embedded(file.name, unit, subjects, names, acquired, digest, "".join(made_by.tolist()))


def _check_arrays(name: str, arrays: dict[str, NDArray[Any]]) -> None:
    missing = [a for a in ARRAYS[:2] if a not in arrays]
    unknown = [a for a in arrays if a not in ARRAYS]
    if missing or unknown:
        wrong, known = (missing[0], unknown) if missing else (unknown[0], [a for a in ARRAYS if a not in arrays])
        near = nearest(wrong, known)
        raise DataError(
            f"{name} has no array {wrong!r}" if missing else f"{name} has an array that is not known here: {wrong!r}",
            given=", ".join(arrays) or "no array",
            expected=f"did you mean {near[0]!r}?" if near else ", ".join(ARRAYS),
            do="save it with numpy.savez('embeddings.npz', embeddings=..., subjects=..., names=...)",
        )
    found = arrays["embeddings"]
    if found.ndim != 2 or found.dtype.kind != "f":
        raise DataError(
            f"{name}: embeddings are no table", given=f"{found.shape} {found.dtype}", expected="float (n, d)"
        )
    for array in arrays:
        if len(arrays[array]) != len(found) or (array != "embeddings" and arrays[array].ndim != 1):
            raise DataError(
                f"{name}: {array} has another length than embeddings", given=arrays[array].shape, expected=(len(found),)
            )


def embedding_trials(embedded: Embedded, protocol: str = ALL_PAIRS) -> Trials:
    """Who is compared with whom.

    Args:
        embedded: the samples.
        protocol: ``"all-pairs"`` (every two samples once), or a list: LFW's format, or a line ``reference probe``
            of names for each trial, with 1 or 0 for mated behind it if you like (it is checked).

    Raises:
        ParameterError: all pairs are more than fit in memory.
        DataError: a line of the list names nobody, or disagrees with the subjects.
    """
    if protocol in ("", ALL_PAIRS):
        if embedded.pairs > MOST_PAIRS:
            raise ParameterError(
                "all pairs are too many to hold", given=f"{embedded.pairs} pairs", expected=f"at most {MOST_PAIRS}",
                do="compare them by tiles (methods.evaluation_allpairs), or give a list of pairs",
            )  # fmt: skip
        return every_pair(embedded.subjects, f"{embedded.name}/{ALL_PAIRS}")
    subject = codes(embedded.subjects)
    reference, probe, fold = _listed(embedded, Path(protocol), subject)
    sides = np.stack([subject[reference], subject[probe]], axis=1)
    return Trials(reference, probe, sides[:, 0] == sides[:, 1], sides, fold, f"{embedded.name}/{Path(protocol).name}")


def _listed(
    embedded: Embedded, path: Path, subject: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]:
    text = files.read_text(path)
    head = text.splitlines()[0].split() if text.strip() else []
    place = {n: i for i, n in enumerate(embedded.names.tolist())}
    if head and len(head) <= 2 and all(h.isdigit() for h in head) and not {*head} <= {*place}:
        pairs = read_pairs(text, path.name)
        place |= {_bare(n): i for n, i in place.items()}
        sides = [[_find(place, _lfw_name(p, k), path.name) for p in pairs] for k in (0, 1)]
        folds = np.array([p.fold for p in pairs], np.int64)
        return np.array(sides[0], np.int64), np.array(sides[1], np.int64), folds if folds.max() > 0 else None
    rows = [(n, line.replace(",", " ").split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    reference, probe = [], []
    seen: dict[tuple[int, int], int] = {}
    for number, words in rows:
        where = f"{path.name}, line {number}"
        if len(words) not in (2, 3) or (len(words) == 3 and words[2] not in ("0", "1")):
            raise DataError(f"{where} is no pair", given=" ".join(words)[:100], expected="reference probe [1 or 0]")
        one, other = (_find(place, w, where) for w in words[:2])
        if len(words) == 3 and (words[2] == "1") != bool(subject[one] == subject[other]):
            raise DataError(f"{where}: mated disagrees with the capture subjects", given=" ".join(words)[:200])
        if seen.setdefault((one, other), number) != number:
            raise DataError(f"{where}: this trial is there already", given=f"first in line {seen[one, other]}")
        reference.append(one)
        probe.append(other)
    if not rows:
        raise DataError(f"{path.name} names no pair", expected="a line for each trial: reference probe")
    return np.array(reference, np.int64), np.array(probe, np.int64), None


def _find(place: dict[str, int], name: str, where: str) -> int:
    if name not in place:
        near = nearest(name, place) if len(place) < 10_000 else []
        raise DataError(
            f"{where} names a sample that has no embedding",
            given=name[:100],
            expected=f"did you mean {near[0]!r}?" if near else "one of the array 'names'",
        )
    return place[name]


def _lfw_name(pair: Pair, side: int) -> str:
    name, number = (pair.reference, pair.probe)[side]
    return f"{name}_{number:04d}"


def _bare(name: str) -> str:
    """``Ann/Ann_0001.jpg`` as ``Ann_0001``."""
    return Path(name).stem
