"""CASIA-SURF in its published layout: bona fide and attack presentations in colour, depth and infrared.

Lists ``train_list.txt``, ``val_private_list.txt``, ``test_private_list.txt`` (any ``*_list.txt``) in the folder, a line
``color_path depth_path ir_path label`` per presentation, paths below the folder, label 1 bona fide and 0 attack. Lists
without labels (``val_public_list.txt``) are known and refused by name. S. Zhang et al., CVPR 2019, arXiv 1812.00408.

Known from public code, not from a specification: training paths are
``Training/<real_part|fake_part>/<subject>/<recording>.rssdk/<color|depth|ir>/<n>.jpg``, so subject and recording are
taken from there; other paths (``Val/...``) name nobody, and each of their presentations counts as a subject of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, Images, NoTrialsError, ParameterError, Samples, Trials
from . import writing
from .folder import check_protocol
from .listed import existing_folder, present

Modality = Literal["rgb", "depth", "ir"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
_LIST = "_list.txt"
_LINE = "'color_path depth_path ir_path label' with label 1 (bona fide) or 0 (attack)"
_FOLDERS = {"rgb": "color", "depth": "depth", "ir": "ir"}


@dataclass(frozen=True)
class Presentation:
    """One line of a list."""

    rgb: str
    depth: str
    ir: str
    attack: bool


@dataclass(frozen=True)
class CasiaSurf:
    """CASIA-SURF in a folder of the user's.

    Attributes:
        lists: protocol and list, those with labels.
        unlabelled: protocols whose list has no labels.
    """

    root: Path
    lists: Mapping[str, Path]
    unlabelled: tuple[str, ...] = ()
    name: str = "casia-surf"
    licence: str = "research agreement with its authors; the people are real"
    real: bool = True
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those whose list is there and has labels."""
        return tuple(self.lists)

    @cached_property
    def digest(self) -> str:
        """Over the lists, and names and contents of the pictures of all modalities."""
        return files.sha256_bytes("".join(self._digest(p) for p in self.protocols).encode())

    def samples(self, protocol: str = "", *, modality: Modality = "rgb") -> Samples:
        """The presentations of a list, as seen in one modality.

        Attributes of the samples: ``attack`` ``bool (n,)``; ``species``, the recording's name of an attack (the
        attack instrument, e.g. ``04_en_b``) and ``""`` else; ``rgb_file``, ``depth_file``, ``ir_file``, the companions'
        paths below the folder. Depth and infrared come as ``uint8 (h, w, 3)`` with equal channels, as stored. The same
        protocol has the same ids in the same order in every modality.

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
        attributes = {f"{m}_file": np.array(paths[m]) for m in MODALITIES}
        attributes["attack"] = np.array([p.attack for p in listed])
        attributes["species"] = np.array([_recording(p.rgb) if p.attack else "" for p in listed])
        return Samples(
            f"casia-surf/{chosen}/{modality}",
            paths["rgb"],
            np.array([_subject(p.rgb) for p in listed]),
            files.ImageFiles(str(self.root), paths[modality]),
            attributes,
            self.licence,
            self.real,
            self._digest(chosen),
        )

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: attack detection compares nobody."""
        self._check(protocol)
        raise NoTrialsError(
            "CASIA-SURF has no comparison trials: attack detection looks at one presentation at a time",
            expected="use of samples().attributes['attack'] with workbench.metrics.attacks",
            do="for verification use a data set with pairs, e.g. lfw:PATH",
        )

    def _check(self, protocol: str) -> str:
        if protocol in self.unlabelled:
            raise ParameterError(
                f"the list of protocol {protocol!r} has no labels",
                given=f"{protocol.replace('-', '_')}{_LIST}",
                expected=", ".join(self.protocols),
                do="use the list that its authors published with labels (..._private_list.txt)",
            )
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


_DO = "unpack the whole of CASIA-SURF beside its lists, or use the list that belongs to these pictures"


def read_list(text: str, name: str) -> list[Presentation]:
    """Presentations of a list.

    Raises:
        DataError: a line does not fit, or a picture is listed twice; the message gives the line's number.
    """
    found: list[Presentation] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 4 or words[3] not in ("0", "1"):
            raise DataError(f"{name}, line {number} is no presentation", given=ascii(line[:150]), expected=_LINE)
        if words[0] in seen:
            raise DataError(f"{name}, line {number} lists a picture again", given=ascii(words[0][:150]))
        seen.add(words[0])
        found.append(Presentation(words[0], words[1], words[2], words[3] == "0"))
    if not found:
        raise DataError(f"{name} is empty", expected=_LINE)
    return found


def _subject(path: str) -> str:
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[1] in ("real_part", "fake_part") else path


def _recording(path: str) -> str:
    parts = path.split("/")
    return parts[3].removesuffix(".rssdk") if len(parts) > 4 and parts[1] == "fake_part" else ""


def open(path: str = "") -> CasiaSurf:
    """CASIA-SURF below ``path``.

    Raises:
        DataError: no such folder, or no list with labels in it.
    """
    root = existing_folder(path, "casia-surf:PATH")
    lists, unlabelled = {}, []
    for file in sorted(root.glob(f"*{_LIST}"), key=lambda f: (not f.name.startswith("train"), f.name)):
        protocol = file.name.removesuffix(_LIST).replace("_", "-")
        if all(len(line.split()) in (0, 3) for line in files.read_text(file).splitlines()):
            unlabelled.append(protocol)
        else:
            lists[protocol] = file
    if not lists:
        given = f"lists without labels: {', '.join(unlabelled)}" if unlabelled else f"no *{_LIST}"
        raise DataError(
            f"{root.name} holds no list with labels", given=given, expected="train_list.txt or val_private_list.txt",
            do="put its authors' lists beside the folders Training and Val",
        )  # fmt: skip
    return CasiaSurf(root, lists, tuple(unlabelled))


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    depth: Images | None = None,
    ir: Images | None = None,
    protocol: str = "train",
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write presentations in three modalities, and their list.

    Args:
        samples: colour pictures, with the attribute ``attack`` ``bool (n,)`` and, if known, ``species`` ``(n,)`` texts.
        trials: there are none in attack detection; None says so.
        folder: new or empty, unless ``replace``.
        depth: pictures ``uint8 (h, w)`` or ``(h, w, 3)``, one per sample; by default the attribute ``depth``.
        ir: near-infrared ones; by default the attribute ``nir``. How millimetres or radiances become 0-255 is the
            caller's choice, so nothing is scaled here.
        protocol: of the list, e.g. ``"train"`` or ``"val-private"``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: labels or a modality are missing, lengths differ, or trials were given.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is not None:
        raise DataError("CASIA-SURF's layout has no trials", given=f"{len(trials)} trials", expected="None")
    attack = writing.attribute(samples, "attack", "CASIA-SURF", "True for attack presentations")
    if attack.dtype != np.bool_:
        raise DataError("the attribute 'attack' is no truth value", given=str(attack.dtype), expected="bool")
    shown: dict[str, Images] = {"rgb": samples.images}
    for modality, key, given in (("depth", "depth", depth), ("ir", "nir", ir)):
        expected = f"uint8 (n, h, w) or (n, h, w, 3), or the option {modality}"
        shown[modality] = writing.attribute(samples, key, "CASIA-SURF", expected) if given is None else given
        if len(shown[modality]) != len(samples):
            raise DataError(f"{modality} has another length than the samples", given=len(shown[modality]),
                            expected=len(samples))  # fmt: skip
    stems = _stems(samples, attack)
    lines = []
    with writing.new_folder("casia-surf", samples, folder, replace) as new:
        for i, (stem, number) in enumerate(zip(stems, writing.numbers(stems), strict=True)):
            paths = [f"{stem}/{_FOLDERS[m]}/{number}{writing.SUFFIX.get(encoding, '')}" for m in MODALITIES]
            for modality, path in zip(MODALITIES, paths, strict=True):
                new.add(path, writing.encode(shown[modality][i], encoding))
            lines.append(f"{' '.join(paths)} {0 if attack[i] else 1}\n")
        name = writing.path_part(protocol.replace("-", "_"), "a list's name")
        new.add(f"{name}{_LIST}", "".join(lines).encode())
    return Path(folder)


def _stems(samples: Samples, attack: NDArray[np.bool_]) -> list[str]:
    species = samples.attributes.get("species", np.full(len(samples), "attack"))
    stems = []
    for i, subject in enumerate(samples.subjects):
        person = writing.path_part(str(subject), "a subject in CASIA-SURF")
        recording = writing.path_part(str(species[i]), "a recording in CASIA-SURF") if attack[i] else "real"
        stems.append(f"Training/{'fake' if attack[i] else 'real'}_part/{person}/{recording}.rssdk")
    return stems
