"""Lists of presentations in colour, depth and infrared, as CASIA-SURF has them and others after it.

A line is ``color_path depth_path ir_path label``, paths below the folder, label 1 bona fide and 0 attack.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, Images, NoTrialsError, ParameterError, Samples, Trials
from . import writing
from .folder import check_protocol
from .listed import present

Modality = Literal["rgb", "depth", "ir"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
_LINE = "'color_path depth_path ir_path label' with label 1 (bona fide) or 0 (attack)"
_FOLDERS = {"rgb": "color", "depth": "depth", "ir": "ir"}


@dataclass(frozen=True)
class Presentation:
    """One line of a list."""

    rgb: str
    depth: str
    ir: str
    attack: bool


def read_list(text: str, name: str) -> list[Presentation]:
    """Presentations of a list.

    Raises:
        DataError: a line does not fit, or a picture is listed twice; the message gives the line's number.
    """
    found: list[Presentation] = []
    seen: set[str] = set()
    # Editors that mark a file as UTF-8 put a sign before the first path that nobody sees.
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 4 or words[3] not in ("0", "1"):
            raise DataError(f"{name}, line {number} is no presentation", given=ascii(line[:150]), expected=_LINE)
        # "./a/b" is "a/b": who is shown is told by the place of a folder in the path.
        rgb, depth, ir = (PurePosixPath(word).as_posix() for word in words[:3])
        if rgb in seen:
            raise DataError(f"{name}, line {number} lists a picture again", given=ascii(words[0][:150]))
        seen.add(rgb)
        found.append(Presentation(rgb, depth, ir, words[3] == "0"))
    if not found:
        raise DataError(f"{name} is empty", expected=_LINE)
    return found


@dataclass(frozen=True)
class Presentations(ABC):
    """Lists in a folder of the user's; a layout says who is shown, with which instrument, and what it cannot read.

    Attributes:
        lists: protocol and list, those that can be read.
        refused: protocols whose list cannot be read.
        title: of the layout, for messages.
    """

    root: Path
    lists: Mapping[str, Path]
    refused: tuple[str, ...] = ()
    name: str = ""
    title: str = ""
    licence: str = ""
    real: bool = True
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those whose list is there and can be read."""
        return tuple(self.lists)

    @cached_property
    def digest(self) -> str:
        """Over the lists, and names and contents of the pictures of all modalities."""
        return files.sha256_bytes("".join(self._digest(p) for p in self.protocols).encode())

    def samples(self, protocol: str = "", *, modality: Modality = "rgb") -> Samples:
        """The presentations of a list, as seen in one modality.

        Attributes of the samples: ``attack`` ``bool (n,)``; ``species``, the attack instrument where the path tells it,
        else ``""``; ``rgb_file``, ``depth_file``, ``ir_file``, the companions' paths below the folder. Depth and
        infrared come as ``uint8 (h, w, 3)`` with equal channels, as stored. The same protocol has the same ids in the
        same order in every modality.

        Args:
            protocol: one of ``protocols``.
            modality: ``"rgb"``, ``"depth"`` or ``"ir"``.
        """
        chosen = self._check(protocol)
        if modality not in MODALITIES:
            raise ParameterError("unknown modality", given=modality, expected=", ".join(MODALITIES))
        listed = self._presentations[chosen]
        paths = {m: self._present([getattr(p, m) for p in listed], chosen) for m in MODALITIES}
        attributes: dict[str, NDArray[np.generic]] = {f"{m}_file": np.array(paths[m]) for m in MODALITIES}
        attributes["attack"] = np.array([p.attack for p in listed])
        attributes["species"] = np.array([self._instrument(p.rgb) if p.attack else "" for p in listed])
        return Samples(
            f"{self.name}/{chosen}/{modality}", paths["rgb"], np.array([self._subject(p.rgb) for p in listed]),
            files.ImageFiles(str(self.root), paths[modality]), attributes, self.licence, self.real,
            self._digest(chosen),
        )  # fmt: skip

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: attack detection compares nobody."""
        self._check(protocol)
        raise NoTrialsError(
            f"{self.title} has no comparison trials: attack detection looks at one presentation at a time",
            expected="use of samples().attributes['attack'] with workbench.metrics.attacks",
            do="for verification use a data set with pairs, e.g. lfw:PATH",
        )

    @abstractmethod
    def _subject(self, path: str) -> str:
        """Who is shown; the path itself where it does not tell."""

    @abstractmethod
    def _instrument(self, path: str) -> str:
        """Of an attack; "" where the path does not tell."""

    @abstractmethod
    def _refusal(self, protocol: str) -> ParameterError:
        """Why a list of ``refused`` cannot be read."""

    @abstractmethod
    def _complete(self) -> str:
        """What to do where a listed picture is missing."""

    def _check(self, protocol: str) -> str:
        if protocol in self.refused:
            raise self._refusal(protocol)
        check_protocol(self, protocol)
        return protocol or self.protocols[0]

    def _present(self, paths: list[str], protocol: str) -> tuple[str, ...]:
        return present(self.root, paths, self.lists[protocol].name, self._complete())

    @cached_property
    def _presentations(self) -> dict[str, list[Presentation]]:
        return {name: read_list(files.read_text(path), path.name) for name, path in self.lists.items()}

    def _digest(self, protocol: str) -> str:
        if protocol not in self._digests:
            names = {getattr(p, m) for p in self._presentations[protocol] for m in MODALITIES}
            there = self._present(sorted(names), protocol)
            paths = [*(self.root / n for n in there), self.lists[protocol]]
            self._digests[protocol] = files.digest_tree(paths, self.root)
        return self._digests[protocol]


@dataclass(frozen=True)
class Shown:
    """Presentations to be written.

    Attributes:
        what: the layout, in words.
        attack: ``bool (n,)``.
        images: pictures by modality, ``n`` each.
        folders: of each presentation, below the folder of its set: ``real_part/<subject>/<recording>``.
    """

    what: str
    attack: NDArray[np.bool_]
    images: Mapping[Modality, Images]
    folders: tuple[str, ...]

    @staticmethod
    def of(what: str, samples: Samples, trials: Trials | None, depth: Images | None, ir: Images | None) -> Shown:
        """Of colour pictures with labels, and the other modalities as options or as attributes ``depth`` and ``nir``.

        Raises:
            DataError: labels or a modality are missing, lengths differ, or trials were given.
        """
        if trials is not None:
            raise DataError(f"{what}'s layout has no trials", given=f"{len(trials)} trials", expected="None")
        attack = writing.attribute(samples, "attack", what, "True for attack presentations")
        if attack.dtype != np.bool_:
            raise DataError("the attribute 'attack' is no truth value", given=str(attack.dtype), expected="bool")
        images: dict[Modality, Images] = {"rgb": samples.images}
        others: tuple[tuple[Modality, str, Images | None], ...] = (("depth", "depth", depth), ("ir", "nir", ir))
        for modality, key, given in others:
            expected = f"uint8 (n, h, w) or (n, h, w, 3), or the option {modality}"
            images[modality] = writing.attribute(samples, key, what, expected) if given is None else given
            if len(images[modality]) != len(samples):
                raise DataError(f"{modality} has another length than the samples", given=len(images[modality]),
                                expected=len(samples))  # fmt: skip
        species = samples.attributes.get("species", np.full(len(samples), "attack"))
        folders = []
        for i, subject in enumerate(samples.subjects):
            person = writing.path_part(str(subject), f"a subject in {what}")
            recording = writing.path_part(str(species[i]), f"a recording in {what}") if attack[i] else "real"
            folders.append(f"{'fake' if attack[i] else 'real'}_part/{person}/{recording}")
        return Shown(what, attack, images, tuple(folders))

    def add(self, new: files.NewFolder, folders: list[str], encoding: writing.Encoding) -> list[str]:
        """Write all pictures below these folders, one for each presentation; the lines of the lists."""
        lines = []
        for i, (folder, number) in enumerate(zip(folders, writing.numbers(folders), strict=True)):
            paths = [f"{folder}/{_FOLDERS[m]}/{number}{writing.SUFFIX.get(encoding, '')}" for m in MODALITIES]
            for modality, path in zip(MODALITIES, paths, strict=True):
                new.add(path, writing.encode(self.images[modality][i], encoding))
            lines.append(f"{' '.join(paths)} {0 if self.attack[i] else 1}\n")
        return lines
