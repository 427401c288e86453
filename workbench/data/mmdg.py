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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import files
from ..core import DataError, Images, ParameterError, Samples, Trials
from . import writing
from .listed import existing_folder
from .presentations import Presentations, Shown

SETS: Mapping[str, str] = {"C": "CASIA-CeFA", "P": "PADISI", "S": "CASIA-SURF", "W": "WMCA"}
SUBSETS = ("train", "val", "test")
_LIST = re.compile(r"([CPSW])-(train|val|test)(\.txt)?")
_CEFA = re.compile(r"([1-3])_(\d{3})_[1-4]_[1-3]_([1-4])")
_INSTRUMENTS = {"2": "cloth", "3": "photo", "4": "screen"}


@dataclass(frozen=True)
class Mmdg(Presentations):
    """The benchmark in a folder of the user's; lists of P are refused."""

    name: str = "mmdg"
    title: str = "MMDG"
    licence: str = "each data set's own agreement with its owners; the people are real"

    def _subject(self, path: str) -> str:
        parts = path.split("/")
        for before, name in itertools.pairwise(parts[:-1]):
            if before in ("real_part", "fake_part"):
                return name
        named = [m for m in map(_CEFA.fullmatch, parts) if m]
        return f"{named[0][1]}_{named[0][2]}" if named else path

    def _instrument(self, path: str) -> str:
        parts = path.split("/")
        if "fake_part" in parts[:-3]:
            return parts[parts.index("fake_part") + 2].removesuffix(".rssdk")
        named = [m for m in map(_CEFA.fullmatch, parts) if m]
        return _INSTRUMENTS.get(named[0][3], "") if named else ""

    def _refusal(self, protocol: str) -> ParameterError:
        return ParameterError(
            f"the list {protocol!r} names .npz files of PADISI whose inner names could not be confirmed",
            given=protocol, expected=", ".join(self.protocols) or "a list of C, S or W",
            do="write the aligned modalities as pictures and list them as 'rgb_path depth_path ir_path label'",
        )  # fmt: skip

    def _complete(self) -> str:
        return "put the pictures of the data set beside the benchmark's lists, or use the list that belongs to them"


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
    shown = Shown.of("MMDG", samples, trials, depth, ir)
    letter, _, subset = protocol.partition("-")
    sets, subsets = (
        samples.attributes.get(name, np.full(len(samples), one)) for name, one in (("set", letter), ("subset", subset))
    )
    for given, known in ((sets, ("C", "S", "W")), (subsets, SUBSETS)):
        if unknown := sorted(set(map(str, given)) - set(known)):
            raise DataError("a list of the benchmark has another name", given=", ".join(unknown),
                            expected=", ".join(known))  # fmt: skip
    lists: dict[str, list[str]] = {}
    with writing.new_folder("mmdg", samples, folder, replace) as new:
        lines = shown.add(new, [f"{s}/{f}" for s, f in zip(sets, shown.folders, strict=True)], encoding)
        for line, one, part in zip(lines, sets, subsets, strict=True):
            lists.setdefault(f"{one}-{part}", []).append(line)
        for name, some in lists.items():
            new.add(f"{name}.txt", "".join(some).encode())
    return Path(folder)
