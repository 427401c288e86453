"""ONNX models: one self-contained file with standard operators and sane sizes, or a refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core import RunError, WeightsError
from .limited import run_limited
from .weights import read_checked

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# Operators of com.microsoft that load a file, call Python or run another engine's own format.
_REACHING = frozenset({"EPContext", "PythonOp", "PythonOpGrad", "PyOp", "ATen", "Snpe", "ExternalContext"})
_MAKERS = frozenset({"ConstantOfShape", "Expand", "Tile", "Range", "Resize", "Upsample"})
_ELEMENTS = 1 << 28
_NODES = 200_000
_SMALL = 1024
_MEMORY = 2 << 30
_SECONDS = 60.0


def read_onnx(path: str | Path, *, sha256: str | None = None) -> bytes:
    """The bytes of an ONNX model that reads nothing outside itself.

    Args:
        path: the ``.onnx`` file.
        sha256: expected digest, if it is known.

    Returns:
        The very bytes that were checked; give these, not the path, to a runtime.

    Raises:
        DigestError: another digest.
        WeightsError: not ONNX, external data, operators of a foreign domain, or a tensor of absurd size.
    """
    data, _ = read_checked(path, sha256)
    check_onnx(data, Path(path).name)
    return data


def check_onnx(data: bytes, name: str) -> None:
    """Raise `WeightsError` unless ``data`` is a model that `read_onnx` accepts.

    Shapes are inferred, nothing is executed: every tensor whose shape can be told from the file is bounded,
    and so is the sum of what a runtime would compute while loading. What a shape that depends on the input
    costs is for the caller of the runtime to bound.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if data[4:8] == b"ORTM":
        # ONNX Runtime would read such bytes as its own format, whatever they are as ONNX.
        raise _refused(name, "it is in ONNX Runtime's own format", f"{len(data)} bytes")
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise _refused(name, "it is not an ONNX model", str(error)[:300]) from error
    parts = list(_messages(model))
    nodes = [part for part in parts if isinstance(part, onnx.NodeProto)]
    if not model.graph.node:
        raise _refused(name, "it has no operators", f"{len(data)} bytes")
    if len(nodes) > _NODES:
        raise _refused(name, "it has too many operators", f"{len(nodes)}, at most {_NODES}")
    _check_operators(model, nodes, name)
    for tensor in parts:
        if isinstance(tensor, onnx.TensorProto) and (
            tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data
        ):
            raise _refused(name, "it keeps data in another file", tensor.name or "an unnamed tensor")
    _check_makers(model, nodes, name)
    _check_shapes(model, len(data), name)


def _refused(name: str, why: str, given: object) -> WeightsError:
    return WeightsError(
        f"{name} was refused: {why}",
        given=given,
        expected="one self-contained ONNX file with standard operators",
        do="export it again with its weights inside",
    )


def _messages(root: Any) -> Iterator[Any]:
    """Every message in a protobuf tree, wherever it hangs: what is not looked for is found too."""
    waiting = [root]
    while waiting:
        message = waiting.pop()
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                waiting.extend(value if hasattr(value, "append") else [value])


def _check_operators(model: Any, nodes: list[Any], name: str) -> None:
    own = {(f.domain, f.name) for f in model.functions}
    foreign = {n.domain for n in nodes if n.domain not in DOMAINS and (n.domain, n.op_type) not in own}
    if foreign:
        raise _refused(name, "it uses operators of a foreign domain", ", ".join(sorted(foreign)))
    reaching = {n.op_type for n in nodes if n.op_type in _REACHING and n.domain not in ("", "ai.onnx")}
    if reaching:
        raise _refused(name, "it uses operators that reach outside the file", ", ".join(sorted(reaching)))


def _check_makers(model: Any, nodes: list[Any], name: str) -> None:
    """A few bytes can ask for terabytes: a shape that is a constant is looked at before anything runs."""
    from onnx import numpy_helper

    constants = {t.name: t for t in model.graph.initializer}
    constants |= {n.output[0]: a.t for n in nodes if _is_constant(n) for a in n.attribute if a.name == "value"}
    for node in nodes:
        for source in node.input if node.op_type in _MAKERS else ():
            tensor = constants.get(source)
            if tensor is not None and 0 <= math.prod(tensor.dims) <= 16 and tensor.data_type in (6, 7):
                try:
                    sizes = numpy_helper.to_array(tensor).ravel()
                except (ValueError, TypeError) as error:
                    raise _refused(name, "a constant is damaged", tensor.name) from error
                asked = math.prod(max(1, int(v)) for v in sizes)
                if asked > _ELEMENTS:
                    raise _refused(name, f"{node.op_type} asks for a tensor of absurd size", f"{asked} elements")


def _is_constant(node: Any) -> bool:
    return bool(node.op_type == "Constant" and node.output)


def _check_shapes(model: Any, size: int, name: str) -> None:
    """Bound every tensor whose shape can be told from the file; ``model`` loses its large constants."""
    from onnx import shape_inference

    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) > _SMALL:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(field)
    folded, doubtful = _folded(model.graph)
    light = model.SerializeToString()
    try:
        elements = shapes(light, False)
        if doubtful:
            # Shapes made by arithmetic: following it can itself be made to take gigabytes.
            elements |= run_limited(shapes, light, True, memory=_MEMORY, seconds=_SECONDS)
    except (RunError, shape_inference.InferenceError, RuntimeError, ValueError, TypeError) as error:
        why = error.given if isinstance(error, RunError) else str(error)[:300]
        raise _refused(name, "the shapes in it cannot be told at a sane cost", why) from error
    for value, count in elements.items():
        if count > _ELEMENTS:
            raise _refused(name, f"{value!r} is a tensor of absurd size", f"{count} elements")
    computed = sum(elements.get(value, 0) for value in folded)
    if computed > max(_ELEMENTS, 4 * size):
        raise _refused(name, "its constants compute to tensors of absurd size", f"{computed} elements in all")


def _folded(graph: Any) -> tuple[set[str], bool]:
    """Values that a runtime computes while loading, and whether a bound on their sizes needs a closer look."""
    known = {t.name: math.prod(t.dims) for t in graph.initializer}
    for value in graph.input:
        known.pop(value.name, None)
    folded: set[str] = set()
    doubtful = False
    for node in graph.node:
        sources = [s for s in node.input if s]
        if _is_constant(node):
            known[node.output[0]] = max([math.prod(a.t.dims) for a in node.attribute if a.name == "value"], default=1)
        elif all(s in known for s in sources):
            # The product bounds arithmetic with broadcasting, products of matrices and joins.
            bound = math.prod(max(1, known[s]) for s in sources) * (2 if node.op_type == "Concat" else 1)
            makes = not sources or node.op_type in _MAKERS | {"Pad", "OneHot", "EyeLike", "Loop", "Scan", "If"}
            doubtful |= makes or bound > _ELEMENTS
            folded.update(node.output)
            known |= dict.fromkeys(node.output, min(bound, _ELEMENTS))
    return folded, doubtful


def shapes(model: bytes, follow: bool) -> dict[str, int]:
    """Elements of every value of a model whose shape can be inferred; with ``follow``, also through arithmetic."""
    from onnx import load_model_from_string, shape_inference

    graph = shape_inference.infer_shapes(load_model_from_string(model), data_prop=follow).graph
    return {v.name: _count(v.type.tensor_type.shape) for v in [*graph.value_info, *graph.output]}


def _count(shape: Any) -> int:
    """Elements of a shape; sides that are not known count as 1."""
    return math.prod(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else 1 for d in shape.dim)
