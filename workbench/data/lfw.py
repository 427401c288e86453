"""Labeled Faces in the Wild in its published layout, with View 1 and the ten folds of View 2.

``<Name>/<Name>_0001.jpg`` below the folder or one subfolder of it, and the lists ``pairs.txt`` (View 2),
``pairsDevTrain.txt`` and ``pairsDevTest.txt`` (View 1) in the folder. G. B. Huang et al., UMass TR 07-49.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .. import files
from ..core import DataError, ParameterError, Samples, Trials
from . import writing
from .listed import present

LISTS = {"view1-test": "pairsDevTest.txt", "view1-train": "pairsDevTrain.txt", "view2": "pairs.txt"}


@dataclass(frozen=True)
class Pair:
    """One line of a list: two pictures by name and number, and the fold."""

    reference: tuple[str, int]
    probe: tuple[str, int]
    fold: int


@dataclass(frozen=True)
class Lfw:
    """LFW in a folder of the user's."""

    root: Path
    pictures: Path
    lists: tuple[tuple[str, Path], ...]
    name: str = "lfw"
    licence: str = "research use; the people in the pictures did not agree to be there"
    real: bool = True

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those whose list is there."""
        return tuple(name for name, _ in self.lists)

    @cached_property
    def digest(self) -> str:
        """Over the lists, and the names and contents of the pictures that they name."""
        names = sorted({n for protocol, _ in self.lists for n in self._names(protocol)})
        paths = [self.pictures / n for n in names] + [path for _, path in self.lists]
        return files.digest_tree(paths, self.root)

    def samples(self, protocol: str = "") -> Samples:
        """The pictures that a protocol's list names, each once."""
        names = self._names(self._check(protocol))
        return Samples(
            f"lfw/{self._check(protocol)}",
            names,
            np.array([n.partition("/")[0] for n in names]),
            files.ImageFiles(str(self.pictures), names),
            licence=self.licence,
            real=True,
            digest=self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """The pairs of a protocol's list, with its folds where it has more than one."""
        chosen = self._check(protocol)
        index = {n: i for i, n in enumerate(self._names(chosen))}
        subjects = {s: i for i, s in enumerate(sorted({n.partition("/")[0] for n in index}))}
        pairs = self._pairs[chosen]
        sides = [(p.reference, p.probe) for p in pairs]
        codes = np.array([[subjects[a[0]], subjects[b[0]]] for a, b in sides], np.int64)
        folds = np.array([p.fold for p in pairs], np.int64)
        return Trials(
            np.array([index[_file(a)] for a, _ in sides], np.int64),
            np.array([index[_file(b)] for _, b in sides], np.int64),
            codes[:, 0] == codes[:, 1],
            codes,
            folds if folds.max() > 0 else None,
            f"lfw/{chosen}",
        )

    def _check(self, protocol: str) -> str:
        chosen = protocol or self.protocols[0]
        if chosen not in self.protocols:
            missing = f" (its list {LISTS[chosen]} is not there)" if chosen in LISTS else ""
            raise ParameterError(
                f"lfw has no protocol {protocol!r}{missing}",
                given=protocol,
                expected=", ".join(self.protocols),
            )
        return chosen

    @cached_property
    def _pairs(self) -> dict[str, list[Pair]]:
        return {name: read_pairs(files.read_text(path), path.name) for name, path in self.lists}

    def _names(self, protocol: str) -> tuple[str, ...]:
        wanted = sorted({_file(side) for p in self._pairs[protocol] for side in (p.reference, p.probe)})
        do = "unpack the whole of LFW, or use the list that belongs to these pictures"
        return present(self.pictures, wanted, LISTS[protocol], do)


def read_pairs(text: str, name: str) -> list[Pair]:
    """Pairs of an LFW list: the first line counts, then folds of mated and non-mated lines.

    Args:
        text: the file's text; ``Name i j`` is mated, ``Name i Other j`` non-mated.
        name: of the file, for messages.

    Raises:
        DataError: a line does not fit; the message gives its number.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    head = lines[0].split() if lines else []
    if not head or not all(h.isdigit() for h in head) or len(head) > 2:
        raise DataError(f"{name}, line 1 is no header", given=lines[:1], expected="'<folds> <pairs>' or '<pairs>'")
    folds, each = (int(head[0]), int(head[1])) if len(head) == 2 else (1, int(head[0]))
    pairs: list[Pair] = []
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            pairs.append(_pair(line.split(), (len(pairs) // (2 * each)), f"{name}, line {number}"))
    if len(pairs) != folds * 2 * each:
        raise DataError(f"{name} is cut short or too long", given=f"{len(pairs)} pairs", expected=folds * 2 * each)
    return pairs


def _pair(words: list[str], fold: int, where: str) -> Pair:
    if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
        return Pair((words[0], int(words[1])), (words[0], int(words[2])), fold)
    if len(words) == 4 and words[1].isdigit() and words[3].isdigit():
        return Pair((words[0], int(words[1])), (words[2], int(words[3])), fold)
    raise DataError(f"{where} is no pair", given=" ".join(words)[:100], expected="'Name i j' or 'Name i Other j'")


def _file(side: tuple[str, int]) -> str:
    return f"{side[0]}/{side[0]}_{side[1]:04d}.jpg"


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write pictures and trials as LFW: View 2 (``pairs.txt``) where trials have folds, else View 1's test list.

    Pictures keep the published names ``<Name>_0001.jpg`` whatever their encoding; readers that look at the bytes, as
    this one, open both. In every fold the mated trials come first, as published.

    Args:
        samples: subjects are the names, so they must do as file names and as words.
        trials: as many mated as non-mated ones, in every fold.
        folder: new or empty, unless ``replace``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: the samples or the trials do not fit the layout.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is None:
        raise DataError("LFW is a list of pairs", given="no trials", expected="trials", do="give the data set's trials")
    people = [writing.path_part(str(s), "a name in LFW") for s in samples.subjects]
    sides = list(zip(people, writing.numbers(people), strict=True))
    text = _list(sides, trials)
    with writing.new_folder("lfw", samples, folder, replace) as new:
        for side, image in zip(sides, samples, strict=True):
            new.add(f"lfw/{_file(side)}", writing.encode(image, encoding))
        new.add(LISTS["view2" if trials.fold is not None else "view1-test"], text.encode())
    return Path(folder)


def _list(sides: list[tuple[str, int]], trials: Trials) -> str:
    """A pair list with its header."""
    fold = np.zeros(len(trials), np.int64) if trials.fold is None else trials.fold
    count = int(fold.max()) + 1 if len(fold) else 0
    kinds = [int(np.sum((fold == k) & (trials.mated == m))) for k in range(count) for m in (True, False)]
    if not count or fold.min() < 0 or len(set(kinds)) > 1 or not kinds[0]:
        raise DataError(
            "LFW's lists have as many mated as non-mated pairs in every fold",
            given=f"mated, non-mated: {', '.join(map(str, kinds[:20]))}",
            expected="equal numbers",
            do="take a subset of the trials",
        )
    lines = [str(kinds[0]) if trials.fold is None else f"{count}\t{kinds[0]}"]
    for i in np.lexsort((~trials.mated, fold)):
        (name, a), (other, b) = sides[trials.reference[i]], sides[trials.probe[i]]
        lines.append(f"{name}\t{a}\t{b}" if trials.mated[i] else f"{name}\t{a}\t{other}\t{b}")
    return "\n".join(lines) + "\n"


def open(path: str = "") -> Lfw:
    """LFW below ``path``.

    Raises:
        DataError: no such folder, no list, or no pictures.
    """
    root = Path(path)
    if not path or not root.is_dir():
        raise DataError("there is no such folder", given=path or "no path", expected="lfw:PATH")
    lists = tuple((name, root / file) for name, file in LISTS.items() if (root / file).is_file())
    if not lists:
        raise DataError(
            f"{root.name} holds no pair list", given=path, expected=" or ".join(LISTS.values()),
            do="put the list from the LFW site beside the pictures' folder",
        )  # fmt: skip
    places = [root, *sorted(p for p in root.iterdir() if p.is_dir())]
    pictures = next((p for p in places if any(p.glob("*/*_0001.jpg"))), None)
    if pictures is None:
        raise DataError(f"{root.name} holds no LFW pictures", expected="<Name>/<Name>_0001.jpg", do="unpack lfw.tgz")
    return Lfw(root, pictures, lists)
