"""The one room that touches bytes.

Everything that is read from outside is hostile until it has passed here: pictures under limits, weights
without code, paths inside their folder. Everything that is written is whole or absent.
"""

from .decode import LIMITS, ImageFiles, Limits, decode_image, encode_png, read_image, read_images
from .limited import run_limited
from .lock import Lock, owner
from .onnx_gate import check_onnx, read_onnx
from .pack import pack, unpack
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
from .text import from_json, to_json
from .weights import Weights, read_weights, write_tensors

__all__ = [
    "LIMITS", "ImageFiles", "Limits", "Lock", "Weights", "append_line", "check_onnx", "commit_bytes",
    "commit_folder", "commit_text", "decode_image", "digest_tree", "encode_png", "free_bytes", "from_json",
    "inside", "owner", "pack", "read_bytes", "read_image", "read_images", "read_onnx", "read_text",
    "read_weights", "remove_folder", "run_limited", "sha256_bytes", "sha256_file", "sweep",
    "temporary_folder", "to_json", "unpack", "write_tensors",
]  # fmt: skip
