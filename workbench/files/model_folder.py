"""Folders as ``transformers`` writes them: checked before that library reads them, so that nothing in them is run.

It opens the files itself, after this check: a folder that somebody else can write to in between is not protected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import WeightsError
from .paths import inside, read_text

_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".msgpack"}
_INDEX = ".safetensors.index.json"
_TEXT_LIMIT = 8 << 20
# Vocabularies: long, and without settings.
_NOT_SETTINGS = {"tokenizer.json", "vocab.json", "added_tokens.json"}
_EXPECTED = "config.json, *.safetensors, and the files of the tokenizer and the processor"


@dataclass(frozen=True)
class ModelFolder:
    """A folder that may be loaded.

    Attributes:
        path: of it.
        config: what its ``config.json`` says.
        weights: names of its weights files.
        bytes: their size together.
    """

    path: Path
    config: Mapping[str, Any]
    weights: tuple[str, ...]
    bytes: int


def check_model_folder(path: str | Path) -> ModelFolder:
    """See that a folder holds a model's settings and safetensors, and neither code nor pickles.

    Raises:
        WeightsError: it does not; the message names the file.
        DataError: a file in it is a link that leads out of the folder.
        StoreError: a file cannot be read.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise WeightsError("a model is loaded from a folder on this machine", given=folder, expected=_EXPECTED,
                           do="fetch it yourself beforehand; nothing is downloaded")  # fmt: skip
    names = sorted(p.name for p in folder.iterdir() if not p.is_dir())
    for name in names:
        inside(folder, name)
        _refuse_pickle(folder, name)
    if "config.json" not in names:
        raise _broken(folder, "it has no config.json", ", ".join(names)[:200] or "no files")
    config = _settings(folder, "config.json")
    for name in names:
        if name.endswith(".json") and name not in _NOT_SETTINGS and not name.endswith(_INDEX):
            _refuse_code(folder, name, _settings(folder, name))
    weights = tuple(n for n in names if n.endswith(".safetensors"))
    if not weights:
        raise _broken(folder, "it has no weights in safetensors", ", ".join(names)[:200])
    for name in weights:
        _check_header(folder, name)
    for name in names:
        if name.endswith(_INDEX):
            _check_index(folder, name, weights)
    return ModelFolder(folder, config, weights, sum((folder / n).stat().st_size for n in weights))


def _refuse_pickle(folder: Path, name: str) -> None:
    if Path(name).suffix.lower() in _PICKLES:
        raise WeightsError(
            f"{folder.name} was refused: {name} may run code when it is read", given=name, expected="*.safetensors",
            do="take the model's safetensors edition, or convert it where you trust it, and remove this file",
        )  # fmt: skip


def _refuse_code(folder: Path, name: str, settings: Mapping[str, Any]) -> None:
    if "auto_map" in settings:
        raise WeightsError(
            f"{folder.name} was refused: its {name} asks for code of its own", given=f"auto_map {settings['auto_map']}",
            expected="an architecture that transformers knows", do="take another model",
        )  # fmt: skip


def _settings(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(read_text(folder / name, limit=_TEXT_LIMIT))
    except (ValueError, RecursionError) as error:
        raise _broken(folder, f"{name} is not JSON", str(error)[:200]) from None
    if not isinstance(found, dict):
        raise _broken(folder, f"{name} is not a JSON object", type(found).__name__)
    return found


def _check_header(folder: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / name, "numpy") as opened:
            empty = not opened.keys()
    except (SafetensorError, OSError, ValueError) as error:
        raise _broken(folder, f"{name} is not a whole safetensors file", str(error)[:200]) from None
    if empty:
        raise _broken(folder, f"{name} holds no tensors", name)


def _check_index(folder: Path, name: str, weights: tuple[str, ...]) -> None:
    parts = _settings(folder, name).get("weight_map")
    named = set(map(str, parts.values())) if isinstance(parts, dict) else {"no weight_map"}
    if strange := sorted(named - set(weights)):
        raise _broken(folder, f"{name} names weights that are not in the folder", ", ".join(strange)[:200])


def _broken(folder: Path, why: str, given: object) -> WeightsError:
    return WeightsError(f"{folder.name} is no whole model: {why}", given=given, expected=_EXPECTED,
                        do="copy or fetch the folder again")  # fmt: skip
