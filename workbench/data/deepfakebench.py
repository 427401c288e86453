"""DeepfakeBench's data set files (FaceForensics++, Celeb-DF, DFDC, ...): frames of videos with their labels.

One JSON ``{dataset: {method: {split: {video: {"label": ..., "frames": [...]}}}}}`` and, for FaceForensics++ and
DeepFakeDetection, a level of compression (``c23``, ``c40``, ``raw``) between split and video, as
``preprocessing/rearrange.py`` of ``SCLBD/DeepfakeBench`` writes it; labels are those of its ``label_dict``. Z. Yan et
al., NeurIPS 2023, arXiv 2307.01426. Keys beside ``label`` and ``frames`` (``masks``) are not read.

A video is known by the whole path of its frames' folder. DeepfakeBench's own key, the last folder's name, merges the
four manipulations of one FaceForensics++ pair (`workbench.metrics.forgery.video_keys` has both). Nobody is named, so
each video counts as a capture subject of its own, though people recur across videos and intervals over videos are
then too narrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..core import DataError, NoTrialsError, Samples, Trials, nearest
from . import writing
from .folder import check_protocol
from .listed import present

# label_dict of DeepfakeBench's training/config/test_config.yaml; the last two are ours.
LABELS = dict.fromkeys(
    ("FF-real", "DFD_real", "CelebDFv1_real", "CelebDFv2_real", "DFDCP_Real", "DFDC_Real", "DF_real", "UADFV_Real",
     "roop_Real", "phantom_real"), False,
) | dict.fromkeys(
    ("FF-SH", "FF-F2F", "FF-DF", "FF-FS", "FF-NT", "FF-FH", "DFD_fake", "CelebDFv1_fake", "CelebDFv2_fake",
     "DFDCP_FakeA", "DFDCP_FakeB", "DFDC_Fake", "DF_fake", "UADFV_Fake", "roop_Fake", "phantom_fake"), True,
)  # fmt: skip
SPLITS = ("test", "val", "train")
_LIMIT = 512 << 20
_VIDEO = '{"label": ..., "frames": [...]}'


@dataclass(frozen=True)
class Part:
    """Videos of one method in one split, and where in the file they stand."""

    place: str
    method: str
    split: str
    compression: str
    videos: Mapping[str, Any]


@dataclass(frozen=True)
class Video:
    """One video of a file.

    Attributes:
        key: folder of its frames.
        frames: relative paths.
    """

    key: str
    name: str
    method: str
    split: str
    compression: str
    label: str
    attack: bool
    frames: tuple[str, ...]


@dataclass(frozen=True)
class DeepfakeBench:
    """The videos of one file; see `open` for the fields."""

    path: Path
    frames: Path
    content: Mapping[str, Any]
    prefix: str = ""
    labels: Mapping[str, bool] = field(default_factory=dict)
    name: str = "deepfakebench"
    licence: str = "that of the videos' publishers; the people are real"
    real: bool = True
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The splits, ``test`` first, and ``<split>-<compression>`` where there are levels of compression."""
        order = {split: i for i, split in enumerate(SPLITS)}
        return tuple(sorted(self._parts, key=lambda p: (order.get(p.partition("-")[0], len(SPLITS)), p)))

    @cached_property
    def digest(self) -> str:
        """Over all protocols: labels, and names and contents of the frames. Reads every frame."""
        return files.sha256_bytes("".join(self._digest(p) for p in self.protocols).encode())

    def samples(self, protocol: str = "") -> Samples:
        """The frames of a split, in the file's order.

        Attributes of the samples, each ``(n,)``: ``attack`` (bool), ``label`` (as in the file), ``method`` (the level
        above the splits), ``video`` (folder of the frame, the whole path), ``split``, ``compression`` (``""`` where
        the file has no such level).
        """
        check_protocol(self, protocol)
        chosen = protocol or self.protocols[0]
        videos = self.videos(chosen)
        each = [video for video in videos for _ in video.frames]
        names = present(self.frames, [f for v in videos for f in v.frames], self.path.name, _DO)
        said = ("attack", "label", "method", "split", "compression")
        attributes = {k: np.array([getattr(v, k) for v in each]) for k in said}
        attributes["video"] = keys = np.array([v.key for v in each])
        return Samples(
            f"deepfakebench/{self.path.stem}/{chosen}",
            names,
            keys,
            files.ImageFiles(str(self.frames), names),
            attributes,
            self.licence,
            self.real,
            self._digest(chosen),
        )

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: forgery detection compares nobody."""
        check_protocol(self, protocol)
        raise NoTrialsError(
            "DeepfakeBench has no comparison trials: forgery detection looks at one video at a time",
            expected="use of samples().attributes['attack'] and ['video'] with workbench.metrics.forgery",
            do="for verification use a data set with pairs, e.g. lfw:PATH",
        )

    def videos(self, protocol: str = "") -> list[Video]:
        """The videos of a split, those without frames too.

        Raises:
            DataError: an entry is no video, a label is unknown, or frames of two videos lie in one folder.
        """
        check_protocol(self, protocol)
        owner: dict[str, str] = {}
        found = []
        for part in self._parts[protocol or self.protocols[0]]:
            for name, entry in part.videos.items():
                video, place = self._video(part, name, entry), f"{part.place}/{name}"
                if video.frames and owner.setdefault(video.key, place) != place:
                    raise DataError(
                        f"{self.path.name}: two videos have their frames in one folder",
                        given=f"{owner[video.key]} and {place} in {video.key}",
                        expected="a folder for each video",
                        do="move the frames apart, and correct the paths in the file",
                    )
                found.append(video)
        if not any(video.frames for video in found):
            raise DataError(f"{self.path.name}: no video of {protocol or self.protocols[0]} has frames")
        return found

    @cached_property
    def _parts(self) -> dict[str, list[Part]]:
        """By protocol."""
        parts: dict[str, list[Part]] = {}
        for place, listed in _levels(self.content, 3, "", self.path.name):
            _, method, split = place.split("/")
            inner = listed if listed and all(_is_level(v) for v in listed.values()) else {"": listed}
            for compression, videos in inner.items():
                if videos:
                    whole = f"{place}/{compression}" if compression else place
                    protocol = f"{split}-{compression}" if compression else split
                    parts.setdefault(protocol, []).append(Part(whole, method, split, compression, videos))
        return parts

    def _video(self, part: Part, name: str, entry: Any) -> Video:
        place = f"{part.place}/{name}"
        frames = entry.get("frames") if isinstance(entry, dict) else None
        if not isinstance(frames, list) or not all(isinstance(f, str) for f in frames) or "label" not in entry:
            given = f"{place}: {type(entry).__name__}"
            raise DataError(f"{self.path.name}: an entry is no video", given=given, expected=_VIDEO)
        paths = tuple(self._relative(f) for f in frames)
        folders = sorted({p.rpartition("/")[0] for p in paths})
        if len(folders) > 1 or len(set(paths)) < len(paths):
            given = f"{place}: {len(paths)} frames in {', '.join(folders[:3])}"
            raise DataError(f"{self.path.name}: the frames of a video do not fit", given=given,
                            expected="different frames in one folder")  # fmt: skip
        label = entry["label"]
        known = LABELS | dict(self.labels)
        if not isinstance(label, str) or label not in known:
            near = " or ".join(nearest(str(label)[:80], known))
            raise DataError(
                f"{self.path.name}: unknown label {str(label)[:80]!r}", given=place,
                expected=f"did you mean {near}?" if near else ", ".join(known),
                do="say what it is: open(path, labels={'name': True}) where True is forged",
            )  # fmt: skip
        key = folders[0] if folders else ""
        return Video(key, name, part.method, part.split, part.compression, label, known[label], paths)

    def _relative(self, frame: str) -> str:
        path = frame.replace("\\", "/")
        inner = path.removeprefix(self.prefix.replace("\\", "/").rstrip("/") + "/") if self.prefix else path
        if inner.startswith("/") or inner[1:2] == ":":
            raise DataError(
                f"{self.path.name} names frames by the paths of another machine", given=ascii(path[:200]),
                expected=f"paths below {self.frames.name}/",
                do="open(path, frames=FOLDER, prefix=...) with the part that FOLDER stands for",
            )  # fmt: skip
        return inner.removeprefix("./")

    def _digest(self, protocol: str) -> str:
        if protocol not in self._digests:
            videos = self.videos(protocol)
            there = present(self.frames, [f for v in videos for f in v.frames], self.path.name, _DO)
            content = files.digest_tree([self.frames / f for f in there], self.frames)
            labels = [[v.key, v.name, v.method, v.label, v.attack] for v in videos]
            self._digests[protocol] = files.sha256_bytes((files.to_json(labels) + content).encode())
        return self._digests[protocol]


_DO = "extract the frames as DeepfakeBench does, or say where they are: open(path, frames=FOLDER)"


def _is_level(thing: Any) -> bool:
    return isinstance(thing, dict) and not isinstance(thing.get("frames"), list)


def _levels(thing: Any, depth: int, place: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The mappings ``depth`` levels down, with their place."""
    if not isinstance(thing, dict):
        raise DataError(f"{name} is not laid out as DeepfakeBench's files", given=f"{place or 'top'}: "
                        f"{type(thing).__name__}", expected="{dataset: {method: {split: {video: ...}}}}")  # fmt: skip
    if depth == 0:
        yield place, thing
        return
    for key, value in thing.items():
        if "/" in key:
            raise DataError(f"{name}: a name holds a slash", given=ascii(key[:100]), expected="names without")
        yield from _levels(value, depth - 1, f"{place}/{key}" if place else key, name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which every name stands once; of equal ones, readers silently keep the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the name {next(k for k in keys if keys.count(k) > 1)[:100]!r} stands twice in one object")
    return made


def open(
    path: str = "", *, frames: str = "", prefix: str = "", labels: Mapping[str, bool] | None = None
) -> DeepfakeBench:
    """The videos of a DeepfakeBench JSON.

    Args:
        path: the file.
        frames: folder that the frames' paths are below; by default the file's own.
        prefix: part of the paths in the file that ``frames`` stands for, e.g. the folder they had where it was made.
        labels: further labels; True is forged.

    Raises:
        DataError: no such file or folder, or it is not laid out as published.
    """
    file = Path(path)
    if not path or not file.is_file():
        raise DataError(
            "there is no such file", given=path or "no path", expected="deepfakebench:PATH/FaceForensics++.json"
        )
    root = Path(frames) if frames else file.parent
    if not root.is_dir():
        raise DataError("there is no such folder of frames", given=frames, do="check the path")
    try:
        content = json.loads(files.read_text(file, limit=_LIMIT), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is no JSON that can be read", given=str(error)[:300]) from error
    opened = DeepfakeBench(file, root, content, prefix, dict(labels or {}))
    if not opened.protocols:
        raise DataError(f"{file.name} holds no videos", expected="{dataset: {method: {split: {video: ...}}}}")
    return opened


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    dataset: str = "phantom",
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write frames and their JSON, ``<dataset>.json``.

    Args:
        samples: frames in order, with the attribute ``attack`` ``bool (n,)``. Optional, ``(n,)`` texts: ``label`` (one
            of `LABELS`; ``phantom_real`` or ``phantom_fake``), ``method`` (the label), ``split`` (``test``),
            ``compression`` (none), ``video`` (the subject; of a path the last part).
        trials: there are none in forgery detection; None says so.
        folder: new or empty, unless ``replace``.
        dataset: its name in the file.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        The JSON file, which `open` opens.

    Raises:
        DataError: labels are missing or contradict each other, two videos would become one, or trials were given.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is not None:
        raise DataError("DeepfakeBench's layout has no trials", given=f"{len(trials)} trials", expected="None")
    places = _places(samples, writing.path_part(dataset, "a data set's name"))
    content: dict[str, Any] = {}
    counted = writing.numbers([stem for _, stem, _ in places])
    with writing.new_folder("deepfakebench", samples, folder, replace) as new:
        for (levels, stem, label), number, image in zip(places, counted, samples, strict=True):
            path = f"{stem}/{number - 1:03d}{writing.SUFFIX.get(encoding, '')}"
            new.add(path, writing.encode(image, encoding))
            level = content
            for key in levels:
                level = level.setdefault(key, {})
            level.setdefault("label", label)
            level.setdefault("frames", []).append(path)
        new.add(f"{dataset}.json", json.dumps(content, indent=1).encode())
    return Path(folder) / f"{dataset}.json"


def _places(samples: Samples, dataset: str) -> list[tuple[list[str], str, str]]:
    """Keys in the JSON, folder of the video and label, for each sample."""
    attack = writing.attribute(samples, "attack", "DeepfakeBench", "True for forged frames")
    if attack.dtype != np.bool_:
        raise DataError("the attribute 'attack' is no truth value", given=str(attack.dtype), expected="bool")
    label = samples.attributes.get("label", np.where(attack, "phantom_fake", "phantom_real"))
    method = samples.attributes.get("method", label)
    video = samples.attributes.get("video")
    split = samples.attributes.get("split", np.full(len(samples), "test"))
    compression = samples.attributes.get("compression", np.full(len(samples), ""))
    owner: dict[str, tuple[str, str]] = {}
    places = []
    for i in range(len(samples)):
        said = str(label[i])
        if LABELS.get(said) is not bool(attack[i]):
            raise DataError(
                f"sample {samples.ids[i]!r} has a label that does not fit",
                given=f"{said}, attack={attack[i]}",
                expected="one of deepfakebench.LABELS with that meaning",
            )
        shown = str(samples.subjects[i] if video is None else video[i])
        name = shown if video is None else shown.rpartition("/")[2]
        parts = [str(method[i]), str(split[i]), *filter(None, [str(compression[i])]), name]
        levels = [dataset, *(writing.path_part(p, "a name in DeepfakeBench") for p in parts)]
        stem = "/".join([*levels[:-1], "frames", levels[-1]])
        if owner.setdefault(stem, (shown, said)) != (shown, said):
            raise DataError("two videos would become one", given=f"{owner[stem][0]} and {shown} in {stem}",
                            expected="videos of one method and split that differ in their last part")  # fmt: skip
        places.append((levels, stem, said))
    return places
