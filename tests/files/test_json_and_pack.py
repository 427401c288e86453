"""RELIABILITY F9 and F10 for stored values: strict JSON that every parser reads, and packed steps."""

from __future__ import annotations

import io
import json
import math
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from workbench import files
from workbench.core import Estimate, Reported, Result, ShapeError, StoreError, Undefined, Verdict

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec=None), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(lambda k: k != "$"), inner, max_size=4),
    max_leaves=12,
)
COUNTS = st.dictionaries(st.sampled_from(["mated", "subjects"]), st.integers(0, 10**6))
NUMBER = FINITE | st.builds(Undefined, TEXT, COUNTS)
ESTIMATE = st.builds(Estimate, NUMBER, NUMBER | st.none(), NUMBER | st.none(), TEXT, COUNTS)
VERDICT = st.builds(
    Verdict,
    TEXT,
    TEXT,
    st.sampled_from(["supported", "refuted", "undecided", "not testable here"]),
    ESTIMATE | st.none(),
    TEXT,
    st.lists(st.builds(Verdict, TEXT, TEXT, st.just("refuted")), max_size=2).map(tuple),
)
RESULT = Result(
    "saliency",
    "1-A",
    {"seed": 0},
    {"pairs": None, "scale": "smoke"},
    {"eer": Estimate(Undefined("no mated trials", {"mated": 0})), "auc": Estimate(0.5, 0.25, 0.75, "rule", {"n": 4})},
    (Verdict("C1", "a < b & c", "undecided", Estimate(0.25)),),
    (Reported("eer", "LFW", "Table 1", 0.01),),
    notes=("</script><img src=x onerror=alert(1)>", "line\u2028break", "half \udce9"),
)


@settings(max_examples=150, deadline=None)
@given(PLAIN | ESTIMATE | VERDICT)
def test_json_gives_back_what_it_was_given(thing: object) -> None:
    text = files.to_json(thing)
    assert files.from_json(text) == thing
    text.encode("utf-8")
    assert len(text.splitlines()) == 1


def test_a_browsers_parser_reads_every_result() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript here")
    script = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8'))))"
    text = files.to_json(RESULT)
    done = subprocess.run([node, "-e", script], input=text, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(text)
    assert files.from_json(done.stdout) == RESULT
    assert json.loads(done.stdout)["numbers"]["eer"]["value"] == {
        "$": "Undefined",
        "counts": {"mated": 0},
        "reason": "no mated trials",
    }
    # The parser is real: it refuses what Python writes by default.
    refused = subprocess.run([node, "-e", script], input=json.dumps([math.nan]), capture_output=True, text=True)
    assert refused.returncode != 0


@pytest.mark.parametrize(
    ("thing", "place"),
    [
        (math.nan, r"at \$"),
        ({"a": [1, {"b": math.inf}]}, r"at \$\.a\[1\]\.b"),
        ({"a": np.array([0.0, np.nan])}, r"at \$\.a\[1\]"),
        ({"a": np.float32("-inf")}, r"at \$\.a"),
        ({1: 2}, r"1 at \$"),
        ({"$": 2}, r"'\$' at \$"),
        ({"a": {1, 2}}, r"set at \$\.a"),
        ({"a": 1j}, r"complex at \$\.a"),
        ({"a": b"x"}, r"bytes at \$\.a"),
        ({"a": np.array([{}], dtype=object)[0:1], "b": object()}, r"object at \$\.b"),
    ],
)
def test_what_json_cannot_carry_is_refused_with_its_place(thing: object, place: str) -> None:
    with pytest.raises(ShapeError, match=place):
        files.to_json(thing)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[NaN]", "[Infinity]", "[-Infinity]", "[1e999]", "nul", "[1,]", '{"$": "Undefined"}',
        '{"$": "Path", "x": 1}', '{"$": ["Undefined"], "reason": "x"}', '{"$": "Estimate", "value": 1, "more": 2}',
        "[" * 100_000, "1" * 10_000, '{"$": "os.system", "command": "true"}',
    ],
)  # fmt: skip
def test_what_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="not the workbench's JSON"):
        files.from_json(text)


def test_numpy_scalars_and_paths_are_plain_in_json() -> None:
    thing = {"i": np.int64(2**53 + 1), "f": np.float32(0.5), "b": np.bool_(True), "p": Path("a/b"), "t": (1,)}
    assert files.from_json(files.to_json(thing)) == {"i": 2**53 + 1, "f": 0.5, "b": True, "p": "a/b", "t": [1]}
    assert files.to_json(np.array(1.5)) == "1.5"


ARRAYS = npst.arrays(
    npst.boolean_dtypes() | npst.integer_dtypes() | npst.floating_dtypes() | npst.unicode_string_dtypes(max_len=5),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


def same(a: object, b: object) -> bool:
    """Equal in type and to the bit."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        PLAIN | ARRAYS | st.floats() | st.binary(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
        max_leaves=6,
    )
)
def test_packing_gives_back_the_same_to_the_bit(thing: object) -> None:
    data = files.pack(thing)
    assert same(files.unpack(data), thing)
    assert files.pack(files.unpack(data)) == data


def test_packing_keeps_our_dataclasses() -> None:
    thing = {"e": Estimate(0.5, 0.25, 0.75), "u": [Undefined("no mated trials", {"mated": 0})]}
    assert files.unpack(files.pack(thing)) == thing


@pytest.mark.parametrize(
    "thing", [{1, 2}, object(), 1j, np.array([{}], dtype=object), np.ma.masked_array([1.0], [True]), abs, Estimate]
)
def test_what_cannot_be_packed_is_refused_with_its_place(thing: object) -> None:
    with pytest.raises(ShapeError, match=r"at \$\.a\[0\]"):
        files.pack({"a": [thing]})


def test_damage_to_a_packed_step_is_noticed() -> None:
    thing = {"x": np.arange(20.0), "t": ("a", 1.5, None, b"bytes")}
    data = files.pack(thing)
    for n in range(len(data)):
        for hurt in (data[:n], data[:n] + bytes([data[n] ^ 0x55]) + data[n + 1 :]):
            try:
                found = files.unpack(hurt)
            except StoreError:
                continue
            assert same(found, thing), f"byte {n} changed the content unnoticed"


@pytest.mark.parametrize(
    "name",
    ["os:system", "subprocess:Popen", "workbench.__main__:main", "workbench.files.paths:read_bytes",
     "workbench.absent:X", "workbench.core:Absent", "dataclasses:dataclass", "workbench.files.paths:os.system"],
)  # fmt: skip
def test_a_packed_step_names_dataclasses_only(name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tree.json", json.dumps({"d": name, "v": {}}))
    with pytest.raises(StoreError, match="cannot be read"):
        files.unpack(out.getvalue())


def test_a_packed_step_cannot_explode() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.json", " " * (64 << 20) + "1")
    with pytest.raises(StoreError, match="unpacks to far more"):
        files.unpack(out.getvalue())
