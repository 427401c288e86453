"""ONNX models: one self-contained file with standard operators, or a refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core import WeightsError
from .weights import read_checked

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
_MAKERS = frozenset({"ConstantOfShape", "Expand", "Tile", "Range", "Resize", "Upsample"})
_ELEMENTS = 1 << 28


def read_onnx(path: str | Path, *, sha256: str | None = None) -> bytes:
    """The bytes of an ONNX model that reads nothing outside itself.

    Args:
        path: the ``.onnx`` file.
        sha256: expected digest, if it is known.

    Returns:
        The very bytes that were checked; give these, not the path, to a runtime.

    Raises:
        DigestError: another digest.
        WeightsError: not ONNX, external data, operators of a foreign domain, or a constant of absurd size.
    """
    data, _ = read_checked(path, sha256)
    check_onnx(data, Path(path).name)
    return data


def check_onnx(data: bytes, name: str) -> None:
    """Raise `WeightsError` unless ``data`` is a model that `read_onnx` accepts."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise _refused(name, "it is not an ONNX model", error) from error
    if not model.graph.node:
        raise _refused(name, "it has no operators", f"{len(data)} bytes")
    graphs = [model.graph, *model.functions]
    nodes = [node for graph in graphs for node in _nodes(graph)]
    own = {f.domain for f in model.functions}
    foreign = {n.domain for n in nodes} | {o.domain for o in model.opset_import}
    if foreign := foreign - DOMAINS - own:
        raise _refused(name, "it uses operators of a foreign domain", ", ".join(sorted(foreign)))
    for tensor in _tensors(model, nodes):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise _refused(name, "it keeps data in another file", tensor.name or "an unnamed tensor")
    _check_sizes(model, nodes, name)


def _refused(name: str, why: str, given: object) -> WeightsError:
    return WeightsError(
        f"{name} was refused: {why}",
        given=given,
        expected="one self-contained ONNX file with standard operators",
        do="export it again with its weights inside",
    )


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs] if attribute.type in (5, 10) else []:
                yield from _nodes(inner)


def _tensors(model: Any, nodes: list[Any]) -> Iterator[Any]:
    graphs = [model.graph] + [g for n in nodes for a in n.attribute if a.type in (5, 10) for g in [a.g, *a.graphs]]
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in [attribute.sparse_tensor, *attribute.sparse_tensors]:
                yield from (sparse.values, sparse.indices)


def _check_sizes(model: Any, nodes: list[Any], name: str) -> None:
    """A few bytes can ask for terabytes: a shape that is a constant is looked at before anything runs."""
    from onnx import numpy_helper

    constants = {t.name: t for t in model.graph.initializer}
    constants |= {n.output[0]: a.t for n in nodes if n.op_type == "Constant" for a in n.attribute if a.name == "value"}
    for node in nodes:
        for source in node.input if node.op_type in _MAKERS else ():
            tensor = constants.get(source)
            if tensor is not None and math.prod(tensor.dims) <= 16 and tensor.data_type in (6, 7):
                asked = math.prod(max(1, int(v)) for v in numpy_helper.to_array(tensor).ravel())
                if asked > _ELEMENTS:
                    raise _refused(name, f"{node.op_type} asks for a tensor of absurd size", f"{asked} elements")
