"""Makers of ONNX models that reach outside their file, or ask for absurd tensors in a few bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper

SECRET = np.array([3.25, -7.5, 11.125, 0.0625], np.float32)


def model(nodes: Sequence[NodeProto], initialisers: Sequence[TensorProto] = (), **more: object) -> ModelProto:
    """A model of opset 17 from ``x`` to ``y``, float vectors."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info("x", TensorProto.FLOAT, [4])], [info("y", TensorProto.FLOAT, None)], list(initialisers)
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, **more)


def reaching(location: str, name: str = "w") -> TensorProto:
    """Four floats that lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def plain() -> ModelProto:
    """A harmless model."""
    return model([helper.make_node("Add", ["x", "w"], ["y"])], [numpy_helper.from_array(SECRET, "w")])


def reaching_out(secret: Path) -> Iterator[tuple[str, bytes]]:
    """Models that would read ``secret``, which lies beside the model, one above it, or behind links."""
    add = helper.make_node("Add", ["x", "w"], ["y"])
    for location in (
        secret.name,
        f"../{secret.parent.name}/{secret.name}",
        str(secret),
        "link",
        "hard",
        "./x/../" + secret.name,
    ):
        yield location, model([add], [reaching(location)]).SerializeToString()
    constant = helper.make_node("Constant", [], ["w"], value=reaching(secret.name))
    yield "in a constant", model([constant, add]).SerializeToString()
    inner = helper.make_graph([], "inner", [], [helper.make_tensor_value_info("w", 1, [4])], [reaching(secret.name)])
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    yield "in a branch", model([branch], [condition]).SerializeToString()
    untyped = model([branch], [condition])
    for attribute in untyped.graph.node[0].attribute:
        attribute.type = AttributeProto.UNDEFINED
    yield "in a branch without a type", untyped.SerializeToString()
    function = helper.make_function("own", "f", ["x"], ["y"], [constant, add], [helper.make_opsetid("", 17)])
    call = helper.make_node("f", ["x"], ["y"], domain="own")
    yield "in a function", model([call], functions=[function]).SerializeToString()
    sparse = SparseTensorProto(values=reaching(secret.name), dims=[4])
    hidden = model([add])
    hidden.graph.sparse_initializer.append(sparse)
    yield "in a sparse tensor", hidden.SerializeToString()
    training = plain()
    training.training_info.add().initialization.initializer.append(reaching(secret.name))
    yield "in training", training.SerializeToString()


def foreign() -> Iterator[tuple[str, bytes]]:
    """Models whose operators are not standard, or that reach outside."""
    yield "custom", model([helper.make_node("Run", ["x"], ["y"], domain="evil.ops")]).SerializeToString()
    yield "extensions", model([helper.make_node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")]).SerializeToString()
    context = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context="../engine")
    yield "engine", model([context]).SerializeToString()
    function = helper.make_function(
        "own",
        "f",
        ["x"],
        ["y"],
        [helper.make_node("Run", ["x"], ["y"], domain="evil")],
        [helper.make_opsetid("evil", 1)],
    )
    call = helper.make_node("f", ["x"], ["y"], domain="own")
    yield "custom in a function", model([call], functions=[function]).SerializeToString()
    yield (
        "undefined function",
        model([helper.make_node("g", ["x"], ["y"], domain="own")], functions=[function]).SerializeToString(),
    )


def bombs() -> Iterator[tuple[str, bytes]]:
    """Models of a few hundred bytes that ask for gigabytes while they load."""
    node = helper.make_node
    end = [node("ReduceSum", ["big"], ["one"], keepdims=0), node("Add", ["x", "one"], ["y"])]
    size = helper.make_tensor("s", TensorProto.INT64, [1], [1 << 30])
    root = helper.make_tensor("s", TensorProto.INT64, [1], [1 << 15])
    one = helper.make_tensor("c0", TensorProto.FLOAT, [1], [1.0])
    yield "constant of a shape", model([node("ConstantOfShape", ["s"], ["big"]), *end], [size]).SerializeToString()
    shape = node("Constant", [], ["s"], value=size)
    yield "shape in a constant", model([shape, node("ConstantOfShape", ["s"], ["big"]), *end]).SerializeToString()
    yield "expanded", model([node("Expand", ["x", "s"], ["big"]), *end], [size]).SerializeToString()
    square = [node("Mul", ["s", "s"], ["t"]), node("ConstantOfShape", ["t"], ["big"])]
    yield "computed shape", model([*square, *end], [root]).SerializeToString()
    doubling = [node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(34)]
    doubling.append(node("Identity", ["c34"], ["big"]))
    yield "doubled", model([*doubling, *end], [one]).SerializeToString()
    yield "random", model([node("RandomNormal", [], ["big"], shape=[1 << 30]), *end]).SerializeToString()
    column = numpy_helper.from_array(np.zeros((20_000, 1), np.int8), "a")
    row = numpy_helper.from_array(np.zeros((1, 20_000), np.int8), "b")
    yield "broadcast", model([node("Add", ["a", "b"], ["big"]), *end], [column, row]).SerializeToString()
    hundred = [node("ConstantOfShape", ["s"], [f"b{i}"]) for i in range(100)]
    quarter = helper.make_tensor("s", TensorProto.INT64, [1], [1 << 27])
    many = [*hundred, node("Sum", [f"b{i}" for i in range(100)], ["big"]), *end]
    yield "a hundred halves", model(many, [quarter]).SerializeToString()
