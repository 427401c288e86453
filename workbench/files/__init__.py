"""The one room that touches bytes.

Everything that is read from outside is hostile until it has passed here; everything that is written is whole
or absent. No other room calls `open`, `Image.open`, `torch.load` or `np.load`; a test of the house looks.

Reading::

    files.read_image("a.jpg")                 # uint8 (h, w, 3), upright, sRGB; ImageError
    for picture in files.read_images(paths):  # decoded ahead in threads, in order; errors come as values
    files.read_weights("w.ckpt").tensors      # arrays by name, without code; WeightsError
    files.read_onnx("m.onnx", sha256=digest)  # the very bytes that were checked; give them to a runtime
    for part in files.column_parts("scores.parquet"):  # columns of a table in pieces; DataError
    files.check_model_folder("SmolVLM")       # a transformers folder without code or pickles; WeightsError
    files.read_pair_pickle("lfw.bin").pictures  # InsightFace's pickles, without an unpickler; DataError
    files.inside(root, name)                  # a name from a list stays below its folder; DataError

Writing::

    files.commit_text(path, text)             # write, flush, fsync, rename, fsync of the folder; StoreError
    files.commit_folder(staging, final)       # a whole folder at once
    with files.new_folder(path, mark="export.json") as new:  # file by file, all of it or nothing
        new.add("a/b.png", data)
    files.append_line(journal, line)          # one write, then fsync
    with files.Lock(path): ...                # one writer; the lock of a dead owner is free
    with files.transaction(files.open_database(path, schema, 1)) as base: ...  # SQLite, all or nothing
    files.open_log(path), files.read_part(path, None, 4096)  # what a child prints, and its end

Values::

    files.from_json(files.to_json(result))    # strict JSON that carries `Undefined`; NaN is refused
    files.unpack(files.pack(step))            # arrays and dataclasses, to the bit, without pickle
    files.run_limited(function, x, memory=1 << 30, seconds=60)

What it does not do: make Pillow, OpenCV, torch or ONNX safe against memory corruption (keep them current), bound
what a model costs when it runs, notice damage inside a JPEG (the format has no check sums), or survive a disk
that lies about fsync.
"""

from .columns import (
    column_names,
    column_parts,
    is_table,
    read_arrays,
    write_arrays,
    write_columns,
)
from .database import open_database, transaction
from .decode import (
    LIMITS,
    EncodedImages,
    ImageFiles,
    Limits,
    decode_image,
    encode_jpeg,
    encode_png,
    read_image,
    read_images,
)
from .fresh import NewFolder, new_folder
from .limited import run_limited
from .lock import Lock, owner
from .logs import open_log, read_part
from .model_folder import ModelFolder, check_model_folder
from .onnx_gate import check_onnx, read_onnx
from .pack import pack, unpack
from .pair_pickle import PairFile, PairLimits, pair_pickle, read_pair_pickle
from .paths import (
    digest_tree,
    free_bytes,
    inside,
    read_bytes,
    read_text,
    sha256_bytes,
    sha256_file,
    temporary_folder,
)
from .store import append_line, commit_bytes, commit_folder, commit_text, remove_folder, sweep
from .tabular import Columns
from .text import from_json, to_json
from .weights import Weights, read_weights, write_tensors

__all__ = [
    "LIMITS", "Columns", "EncodedImages", "ImageFiles", "Limits", "Lock", "ModelFolder", "NewFolder", "PairFile",
    "PairLimits", "Weights", "append_line", "check_model_folder", "check_onnx", "column_names", "column_parts",
    "commit_bytes", "commit_folder", "commit_text", "decode_image", "digest_tree", "encode_jpeg", "encode_png",
    "free_bytes", "from_json", "inside", "is_table", "new_folder", "open_database", "open_log", "owner", "pack",
    "pair_pickle", "read_arrays", "read_bytes", "read_image", "read_images", "read_onnx", "read_pair_pickle",
    "read_part", "read_text", "read_weights", "remove_folder", "run_limited", "sha256_bytes", "sha256_file",
    "sweep", "temporary_folder", "to_json", "transaction", "unpack", "write_arrays", "write_columns",
    "write_tensors",
]  # fmt: skip
