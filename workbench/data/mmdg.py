"""The multi-modal domain-generalisation benchmark (MMDG) in its lists: colour, depth and infrared of four data sets.

Lists ``C-train``, ``S-test``, ... in the folder, with or without ``.txt``: C is CASIA-CeFA, S CASIA-SURF, W WMCA, P
PADISI; subsets are train, val and test. A line is ``rgb_path depth_path ir_path label``, paths below the folder, label
1 bona fide and 0 attack. X. Lin et al., CVPR 2024, arXiv 2402.19298. Lines of P are ``name.npz<TAB>label``; what the
``.npz`` files call their modalities could not be confirmed, so lists of P are known and refused by name.

Who is shown is taken from a path as CASIA-SURF writes it (``real_part/<subject>/...``) or as CASIA-CeFA names its
recordings (``<race>_<id>_<device>_<session>_<instrument>``); with other names, WMCA's among them, each presentation
counts as a subject of its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, Images, NoTrialsError, ParameterError, Samples, Trials
from . import writing
from .casia_surf import MODALITIES, Modality, Presentation, read_list
from .folder import check_protocol
from .listed import existing_folder, present

SETS: Mapping[str, str] = {"C": "CASIA-CeFA", "P": "PADISI", "S": "CASIA-SURF", "W": "WMCA"}
SUBSETS = ("train", "val", "test")
_LIST = re.compile(r"([CPSW])-(train|val|test)(\.txt)?")
_CEFA = re.compile(r"([1-3])_(\d{3})_[1-4]_[1-3]_([1-4])")
_INSTRUMENTS = {"2": "cloth", "3": "photo", "4": "screen"}
_DO = "put the pictures of the data set beside the benchmark's lists, or use the list that belongs to them"


@dataclass(frozen=True)
class Mmdg:
    """The benchmark in a folder of the user's.

    Attributes:
        lists: protocol and list, those that can be read.
        refused: protocols of P.
    """

    root: Path
    lists: Mapping[str, Path]
    refused: tuple[str, ...] = ()
    name: str = "mmdg"
    licence: str = "each data set's own agreement with its owners; the people are real"
    real: bool = True
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those whose list is there and can be read, e.g. ``"S-train"``."""
        return tuple(self.lists)

    @cached_property
    def digest(self) -> str:
        """Over the lists, and names and contents of the pictures of all modalities."""
        return files.sha256_bytes("".join(self._digest(p) for p in self.protocols).encode())

    def samples(self, protocol: str = "", *, modality: Modality = "rgb") -> Samples:
        """The presentations of a list, as seen in one modality.

        Attributes of the samples: ``attack`` ``bool (n,)``; ``species``, the instrument where its name tells, else
        ``""``; ``rgb_file``, ``depth_file``, ``ir_file``. Ids and their order are the same in every modality.

        Args:
            protocol: one of ``protocols``.
            modality: ``"rgb"``, ``"depth"`` or ``"ir"``.
        """
        chosen = self._check(protocol)
        if modality not in MODALITIES:
            raise ParameterError("unknown modality", given=modality, expected=", ".join(MODALITIES))
        listed = self._presentations[chosen]
        paths = {
            m: present(self.root, [getattr(p, m) for p in listed], self.lists[chosen].name, _DO) for m in MODALITIES
        }
        attributes: dict[str, NDArray[np.generic]] = {f"{m}_file": np.array(paths[m]) for m in MODALITIES}
        attributes["attack"] = np.array([p.attack for p in listed])
        attributes["species"] = np.array([_instrument(p.rgb) if p.attack else "" for p in listed])
        return Samples(
            f"mmdg/{chosen}/{modality}", paths["rgb"], np.array([_subject(p.rgb) for p in listed]),
            files.ImageFiles(str(self.root), paths[modality]), attributes, self.licence, self.real,
            self._digest(chosen),
        )  # fmt: skip

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: attack detection compares nobody."""
        self._check(protocol)
        raise NoTrialsError(
            "MMDG has no comparison trials: attack detection looks at one presentation at a time",
            expected="use of samples().attributes['attack'] with workbench.metrics.attacks",
            do="for verification use a data set with pairs, e.g. lfw:PATH",
        )

    def _check(self, protocol: str) -> str:
        if protocol in self.refused:
            raise ParameterError(
                f"the list {protocol!r} names .npz files of PADISI whose inner names could not be confirmed",
                given=protocol, expected=", ".join(self.protocols) or "a list of C, S or W",
                do="write the aligned modalities as pictures and list them as 'rgb_path depth_path ir_path label'",
            )  # fmt: skip
        check_protocol(self, protocol)
        return protocol or self.protocols[0]

    @cached_property
    def _presentations(self) -> dict[str, list[Presentation]]:
        return {name: read_list(files.read_text(path), path.name) for name, path in self.lists.items()}

    def _digest(self, protocol: str) -> str:
        if protocol not in self._digests:
            names = {getattr(p, m) for p in self._presentations[protocol] for m in MODALITIES}
            there = present(self.root, sorted(names), self.lists[protocol].name, _DO)
            paths = [*(self.root / n for n in there), self.lists[protocol]]
            self._digests[protocol] = files.digest_tree(paths, self.root)
        return self._digests[protocol]


def _subject(path: str) -> str:
    parts = path.split("/")
    for before, name in itertools.pairwise(parts[:-1]):
        if before in ("real_part", "fake_part"):
            return name
    named = [m for m in map(_CEFA.fullmatch, parts) if m]
    return f"{named[0][1]}_{named[0][2]}" if named else path


def _instrument(path: str) -> str:
    parts = path.split("/")
    if "fake_part" in parts[:-3]:
        return parts[parts.index("fake_part") + 2].removesuffix(".rssdk")
    named = [m for m in map(_CEFA.fullmatch, parts) if m]
    return _INSTRUMENTS.get(named[0][3], "") if named else ""


def open(path: str = "") -> Mmdg:
    """The benchmark below ``path``.

    Raises:
        DataError: no such folder, or no list in it that can be read.
    """
    root = existing_folder(path, "mmdg:PATH")
    lists, refused = {}, []
    order = {subset: i for i, subset in enumerate(SUBSETS)}
    found = [(m, f) for f in root.iterdir() if f.is_file() and (m := _LIST.fullmatch(f.name))]
    for match, file in sorted(found, key=lambda pair: (pair[0][1], order[pair[0][2]], pair[1].name)):
        protocol = f"{match[1]}-{match[2]}"
        if protocol in lists:
            raise DataError(f"{root.name} holds the list {protocol} twice", given=f"{protocol} and {protocol}.txt",
                            do="remove one of them")  # fmt: skip
        if ".npz" in files.read_text(file).partition("\n")[0]:
            refused.append(protocol)
        else:
            lists[protocol] = file
    if not lists:
        raise DataError(
            f"{root.name} holds no list that can be read", given=", ".join(refused) or "no list",
            expected="C-train, S-test, ... with lines 'rgb_path depth_path ir_path label'",
            do="put the benchmark's lists beside the pictures",
        )  # fmt: skip
    return Mmdg(root, lists, tuple(refused))


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    depth: Images | None = None,
    ir: Images | None = None,
    protocol: str = "S-train",
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write presentations in three modalities, and a list for each set and subset.

    Paths are those of CASIA-SURF below a folder of the set's: ``S/real_part/<subject>/real/color/1.png``.

    Args:
        samples: colour pictures, with the attribute ``attack`` ``bool (n,)`` and, if known, ``species`` ``(n,)`` texts;
            ``set`` (``"C"``, ``"S"``, ``"W"``) and ``subset`` (``"train"``, ``"val"``, ``"test"``) for several lists.
        trials: there are none in attack detection; None says so.
        folder: new or empty, unless ``replace``.
        depth: pictures ``uint8 (h, w)`` or ``(h, w, 3)``, one per sample; by default the attribute ``depth``.
        ir: near-infrared ones; by default the attribute ``nir``.
        protocol: the list of samples without the attributes ``set`` and ``subset``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: labels or a modality are missing, a set or subset is none of the benchmark's, or trials were given.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is not None:
        raise DataError("MMDG's layout has no trials", given=f"{len(trials)} trials", expected="None")
    attack = writing.attribute(samples, "attack", "MMDG", "True for attack presentations")
    if attack.dtype != np.bool_:
        raise DataError("the attribute 'attack' is no truth value", given=str(attack.dtype), expected="bool")
    letter, _, subset = protocol.partition("-")
    sets, subsets = (
        samples.attributes.get(name, np.full(len(samples), one)) for name, one in (("set", letter), ("subset", subset))
    )
    for given, known in ((sets, ("C", "S", "W")), (subsets, SUBSETS)):
        if unknown := sorted(set(map(str, given)) - set(known)):
            raise DataError("a list of the benchmark has another name", given=", ".join(unknown),
                            expected=", ".join(known))  # fmt: skip
    shown: dict[str, Images] = {"rgb": samples.images}
    for modality, key, images in (("depth", "depth", depth), ("ir", "nir", ir)):
        expected = f"uint8 (n, h, w) or (n, h, w, 3), or the option {modality}"
        shown[modality] = writing.attribute(samples, key, "MMDG", expected) if images is None else images
        if len(shown[modality]) != len(samples):
            raise DataError(f"{modality} has another length than the samples", given=len(shown[modality]),
                            expected=len(samples))  # fmt: skip
    species = samples.attributes.get("species", np.full(len(samples), "attack"))
    stems = []
    for i, subject in enumerate(samples.subjects):
        person = writing.path_part(str(subject), "a subject in MMDG")
        recording = writing.path_part(str(species[i]), "a recording in MMDG") if attack[i] else "real"
        stems.append(f"{sets[i]}/{'fake' if attack[i] else 'real'}_part/{person}/{recording}")
    lines: dict[str, list[str]] = {}
    with writing.new_folder("mmdg", samples, folder, replace) as new:
        for i, (stem, number) in enumerate(zip(stems, writing.numbers(stems), strict=True)):
            suffix = writing.SUFFIX.get(encoding, "")
            paths = [f"{stem}/{kind}/{number}{suffix}" for kind in ("color", "depth", "ir")]
            for modality, path in zip(MODALITIES, paths, strict=True):
                new.add(path, writing.encode(shown[modality][i], encoding))
            lines.setdefault(f"{sets[i]}-{subsets[i]}", []).append(f"{' '.join(paths)} {0 if attack[i] else 1}\n")
        for protocol, some in lines.items():
            new.add(f"{protocol}.txt", "".join(some).encode())
    return Path(folder)
