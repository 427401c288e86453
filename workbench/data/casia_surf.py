"""CASIA-SURF in its published layout: bona fide and attack presentations in colour, depth and infrared.

Lists ``train_list.txt``, ``val_private_list.txt``, ``test_private_list.txt`` (any ``*_list.txt``) in the folder, a line
``color_path depth_path ir_path label`` per presentation, paths below the folder, label 1 bona fide and 0 attack. Lists
without labels (``val_public_list.txt``) are known and refused by name. S. Zhang et al., CVPR 2019, arXiv 1812.00408.

Known from public code, not from a specification: training paths are
``Training/<real_part|fake_part>/<subject>/<recording>.rssdk/<color|depth|ir>/<n>.jpg``, so subject and recording are
taken from there; other paths (``Val/...``) name nobody, and each of their presentations counts as a subject of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import files
from ..core import DataError, Images, ParameterError, Samples, Trials
from . import writing
from .listed import existing_folder
from .presentations import Presentations, Shown

_LIST = "_list.txt"


@dataclass(frozen=True)
class CasiaSurf(Presentations):
    """CASIA-SURF in a folder of the user's; lists without labels are refused."""

    name: str = "casia-surf"
    title: str = "CASIA-SURF"
    licence: str = "research agreement with its authors; the people are real"

    def _subject(self, path: str) -> str:
        parts = path.split("/")
        return parts[2] if len(parts) > 3 and parts[1] in ("real_part", "fake_part") else path

    def _instrument(self, path: str) -> str:
        """The recording's name, e.g. ``04_en_b``."""
        parts = path.split("/")
        return parts[3].removesuffix(".rssdk") if len(parts) > 4 and parts[1] == "fake_part" else ""

    def _refusal(self, protocol: str) -> ParameterError:
        return ParameterError(
            f"the list of protocol {protocol!r} has no labels", given=f"{protocol.replace('-', '_')}{_LIST}",
            expected=", ".join(self.protocols),
            do="use the list that its authors published with labels (..._private_list.txt)",
        )  # fmt: skip

    def _complete(self) -> str:
        return "unpack the whole of CASIA-SURF beside its lists, or use the list that belongs to these pictures"


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
    shown = Shown.of("CASIA-SURF", samples, trials, depth, ir)
    with writing.new_folder("casia-surf", samples, folder, replace) as new:
        lines = shown.add(new, [f"Training/{f}.rssdk" for f in shown.folders], encoding)
        name = writing.path_part(protocol.replace("-", "_"), "a list's name")
        new.add(f"{name}{_LIST}", "".join(lines).encode())
    return Path(folder)
