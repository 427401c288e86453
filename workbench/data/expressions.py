"""Pictures labelled with expressions: a folder with a CSV table, and a list of comparisons where there is one.

The one table of the folder (any name, e.g. ``labels.csv``) has the columns ``path,subject,label`` and, if known,
``intensity``: a picture below the folder, the capture subject, ``neutral`` or an expression's name (upper case counts
as lower case), and how strong the expression is from 0 to 1, empty where nobody knows. ``comparisons.csv`` beside it
has the columns ``ref,probe,mated``: paths of the table, and 1 or 0. CK+, MUG, KDEF, Multi-PIE, FEAFA+, AffectNet,
RAF-DB and Oulu-CASIA each have a layout of their own; such a table brings them to one. The layout is this
workbench's, not a publisher's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, NoTrialsError, Samples, Trials, nearest
from . import writing
from .folder import check_protocol
from .listed import existing_folder
from .protocols import codes

COLUMNS, OPTIONAL = ("path", "subject", "label"), ("intensity",)
COMPARED = ("ref", "probe", "mated")
LABELS, COMPARISONS = "labels.csv", "comparisons.csv"
NEUTRAL = "neutral"
_LAYOUT = f"a CSV table with {', '.join(COLUMNS)} and, if known, intensity; {COMPARISONS} with {', '.join(COMPARED)}"
_TRUTH = {"1": True, "0": False}


@dataclass(frozen=True)
class Entry:
    """One picture and its row; the intensity is NaN where it is not known."""

    path: str
    subject: str
    label: str
    intensity: float


@dataclass(frozen=True)
class Expressions:
    """Labelled expressions in a folder of the user's.

    Attributes:
        lists: the table, and the list of comparisons where there is one.
        compared: places of reference and probe of each comparison, and whether it is mated; None without a list.
    """

    root: Path
    lists: tuple[Path, ...]
    entries: tuple[Entry, ...]
    compared: tuple[tuple[int, int, bool], ...] | None = None
    name: str = "expressions"
    licence: str = "that of the user's pictures"
    real: bool = True
    protocols: tuple[str, ...] = ("expressions",)

    @cached_property
    def digest(self) -> str:
        """Over names and contents of the lists and of the pictures."""
        return files.digest_tree([*self.lists, *(self.root / e.path for e in self.entries)], self.root)

    def samples(self, protocol: str = "") -> Samples:
        """All pictures in the order of the table; attributes ``label`` (texts) and ``intensity`` (NaN: not known)."""
        check_protocol(self, protocol)
        paths = tuple(e.path for e in self.entries)
        return Samples(
            f"expressions/{self.root.name}",
            paths,
            np.array([e.subject for e in self.entries]),
            files.ImageFiles(str(self.root), paths),
            {
                "label": np.array([e.label for e in self.entries]),
                "intensity": np.array([e.intensity for e in self.entries], np.float64),
            },
            self.licence,
            self.real,
            self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """The comparisons of the list, in its order.

        Raises:
            NoTrialsError: there is no list.
        """
        check_protocol(self, protocol)
        if self.compared is None:
            raise NoTrialsError(
                f"{self.root.name} has no comparison trials", expected="samples().attributes: label, intensity",
                do=f"put a list {COMPARISONS} with {', '.join(COMPARED)} beside the table, or use e.g. lfw:PATH",
            )  # fmt: skip
        reference, probe, mated = (np.array(side) for side in zip(*self.compared, strict=True))
        subject = codes(np.array([e.subject for e in self.entries]))
        sides = np.stack([subject[reference], subject[probe]], axis=1)
        return Trials(reference.astype(np.int64), probe.astype(np.int64), mated.astype(bool), sides, None, COMPARISONS)


def open(path: str = "") -> Expressions:
    """The folder at ``path``.

    Raises:
        DataError: no such folder, no table or several, other columns, or a row that does not fit: no subject or label,
            an intensity that is none, a picture that is not there, lies outside or is named twice, a comparison of
            unknown pictures, of one with itself, of the wrong kind or given twice. The message names the row.
        StoreError: a list cannot be read.
    """
    root = existing_folder(path, "expressions:PATH")
    tables = sorted(p for p in root.glob("*.csv") if p.name != COMPARISONS)
    if len(tables) != 1:
        raise DataError(
            f"{root.name} holds no table of pictures" if not tables else f"{root.name} holds several tables",
            given=", ".join(p.name for p in tables) or "no .csv file", expected=f"one: {_LAYOUT}",
            do=f"write {LABELS}" if not tables else "leave one of them in the folder",
        )  # fmt: skip
    entries = _entries(root, tables[0])
    listed = root / COMPARISONS
    if not listed.is_file():
        return Expressions(root, (tables[0],), entries)
    return Expressions(root, (tables[0], listed), entries, _compared(listed, entries))


def _entries(root: Path, table: Path) -> tuple[Entry, ...]:
    found: dict[str, Entry] = {}
    rows: dict[Path, str] = {}
    for part in files.column_parts(table):
        _check_columns(part, COLUMNS, OPTIONAL)
        for row in range(len(part)):
            entry = _entry(root, part, row)
            # One picture may be spelled in two ways, and would then be of two people.
            picture = files.inside(root, entry.path)
            if picture in rows:
                raise DataError(f"{part.where(row)} names a picture a second time", given=ascii(entry.path),
                                expected="each picture once", do=f"see {rows[picture]}")  # fmt: skip
            found[entry.path], rows[picture] = entry, part.where(row)
    if not found:
        raise DataError(f"{table.name} names no pictures", expected="a row for each picture")
    return tuple(found.values())


def _check_columns(part: files.Columns, needed: tuple[str, ...], further: tuple[str, ...] = ()) -> None:
    given, known = tuple(part.values), needed + further
    missing, unknown = [c for c in needed if c not in given], [c for c in given if c not in known]
    if missing or unknown:
        wrong = (missing or unknown)[0]
        near = nearest(wrong, unknown if missing else [c for c in known if c not in given])
        raise DataError(
            f"{part.name} has no column {wrong!r}" if missing else f"{part.name} has an unknown column {wrong!r}",
            given=", ".join(given)[:300], expected=", ".join(needed) + (", intensity if known" if further else ""),
            do=f"is {near[0]!r} meant? rename it" if near else f"{'add' if missing else 'remove'} it",
        )  # fmt: skip


def _entry(root: Path, part: files.Columns, row: int) -> Entry:
    said = {name: str(column[row]).strip() for name, column in part.values.items()}
    where = part.where(row)
    for name in COLUMNS:
        if not said[name]:
            raise DataError(f"{where} has no {name}", given=", ".join(said.values())[:200], expected=", ".join(COLUMNS))
    try:
        there = files.inside(root, said["path"]).is_file()
    except DataError as error:
        raise DataError(f"{where}: {error.what}", given=error.given, expected=error.expected, do=error.do) from None
    if not there:
        raise DataError(f"{where}: there is no such picture", given=ascii(said["path"]),
                        expected=f"a file below {root.name}/", do="check the path, or remove the row")  # fmt: skip
    label = said["label"].lower()
    if label != NEUTRAL and nearest(label, [NEUTRAL]):
        raise DataError(f"{where}: a label is nearly 'neutral'", given=ascii(said["label"]),
                        expected="neutral, or an expression's name", do="correct the label")  # fmt: skip
    return Entry(said["path"], said["subject"], label, _intensity(said.get("intensity", ""), where))


def _intensity(text: str, where: str) -> float:
    if not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise DataError(f"{where}: an intensity does not fit", given=ascii(text[:80]),
                        expected="0 to 1, or nothing where it is not known", do="scale it yourself")  # fmt: skip
    return value


def _compared(listed: Path, entries: tuple[Entry, ...]) -> tuple[tuple[int, int, bool], ...]:
    place = {e.path: i for i, e in enumerate(entries)}
    found: dict[tuple[int, int], bool] = {}
    for part in files.column_parts(listed):
        _check_columns(part, COMPARED)
        for row in range(len(part)):
            reference, probe, mated = (str(part.values[name][row]).strip() for name in COMPARED)
            where = part.where(row)
            for name in (reference, probe):
                if name not in place:
                    raise DataError(f"{where} compares a picture that the table does not have", given=ascii(name),
                                    expected="paths as the table has them", do="add its row there")  # fmt: skip
            if mated not in _TRUTH:
                raise DataError(f"{where}: mated does not fit", given=ascii(mated[:80]), expected="1 or 0")
            key = (place[reference], place[probe])
            same = entries[key[0]].subject == entries[key[1]].subject
            if same != _TRUTH[mated]:
                raise DataError(f"{where} disagrees with the table", given=f"mated = {mated}",
                                expected=f"{int(same)}: {_people(entries, key)}", do="correct one of them")  # fmt: skip
            if key[0] == key[1] or key in found:
                raise DataError(f"{where} compares a picture with itself" if key[0] == key[1] else
                                f"{where} is there a second time", given=ascii(f"{reference}, {probe}"),
                                do="remove it")  # fmt: skip
            found[key] = same
    if not found:
        raise DataError(f"{listed.name} compares nobody", expected="a row for each comparison", do="fill or remove it")
    return tuple((*key, same) for key, same in found.items())


def _people(entries: tuple[Entry, ...], key: tuple[int, int]) -> str:
    return " and ".join(f"subject {entries[i].subject!a}" for i in key)


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write pictures as ``<subject>/<number>.png`` with ``labels.csv``, and trials as ``comparisons.csv``.

    Args:
        samples: with the attribute ``label`` (texts), and ``intensity`` (0 to 1, NaN: not known) where they have it.
        trials: of the samples, no two of the same pictures; None writes no list.
        folder: new or empty, unless ``replace``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: an attribute is missing or does not fit, or a trial that the layout cannot hold.
        StoreError: the folder is not empty, or writing failed.
    """
    label = [writing.path_part(str(v), "a label of an expression") for v in _labels(samples)]
    intensity = np.asarray(samples.attributes.get("intensity", np.full(len(samples), np.nan)), np.float64)
    if np.any((intensity < 0) | (intensity > 1)):
        raise DataError("an intensity does not fit", given=float(intensity[(intensity < 0) | (intensity > 1)][0]),
                        expected="0 to 1, or NaN where it is not known")  # fmt: skip
    people = [writing.path_part(str(s), "a subject in a table") for s in samples.subjects]
    suffix = writing.SUFFIX.get(encoding, "")
    names = [f"{s}/{n}{suffix}" for s, n in zip(people, writing.numbers(people), strict=True)]
    rows = [",".join(COLUMNS + OPTIONAL)]
    with writing.new_folder("expressions", samples, folder, replace) as new:
        for i, image in enumerate(samples):
            new.add(names[i], writing.encode(image, encoding))
            known = "" if np.isnan(intensity[i]) else repr(float(intensity[i]))
            rows.append(",".join((names[i], people[i], label[i], known)))
        new.add(LABELS, _text(rows))
        if trials is not None:
            new.add(COMPARISONS, _text([",".join(COMPARED), *_listed(names, people, trials)]))
    return Path(folder)


def _labels(samples: Samples) -> NDArray[np.str_]:
    return writing.attribute(samples, "label", "the layout of expressions", "neutral, or an expression's name")


def _listed(names: list[str], people: list[str], trials: Trials) -> list[str]:
    """Lines of the list; what `open` would refuse is refused here."""
    rows = {(int(r), int(p)): bool(m) for r, p, m in zip(trials.reference, trials.probe, trials.mated, strict=True)}
    bad = next(((r, p) for (r, p), mated in rows.items() if r == p or (people[r] == people[p]) != mated), None)
    if not len(trials) or len(rows) < len(trials) or bad is not None:
        raise DataError(
            "the trials cannot be listed", given=f"{len(trials)} trials, {len(rows)} of different pictures",
            expected="trials of two pictures each, no two alike, mated where the subjects are the same",
            do=f"see {names[bad[0]]} and {names[bad[1]]}" if bad else "take a subset of the trials",
        )  # fmt: skip
    return [f"{names[r]},{names[p]},{int(m)}" for (r, p), m in rows.items()]


def _text(rows: list[str]) -> bytes:
    return ("\n".join(rows) + "\n").encode()
