import ast
import json
from pathlib import Path

import numpy as np
import pytest

from workbench import studies
from workbench.core import ParameterError, UnknownNameError
from workbench.runs import identity
from workbench.runs.parameters import COMMON, Parameter, check, describe, from_text, schema
from workbench.runs.process import absolute

CELL = """scale: Literal["smoke", "demo"] = "demo"  # how much
pairs: int | None = None  # [2, 30] pairs; None: by scale
rate: float = 0.5  # [0, 1] a rate
url: str = "http://x/#y=1"  # an address
show: bool = False"""


@pytest.fixture
def known(tmp_path: Path):
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL.splitlines(keepends=True)}
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [cell]}))
    return schema(path)


def test_the_cell_is_read_whole(known) -> None:
    assert list(known) == ["scale", "pairs", "rate", "url", "show"]
    assert known["scale"].choices == ("smoke", "demo")
    assert (known["pairs"].low, known["pairs"].high, known["pairs"].optional) == (2, 30, True)
    assert known["pairs"].help == "pairs; None: by scale"
    assert known["url"].default == "http://x/#y=1"


def test_text_becomes_typed_values(known) -> None:
    given = from_text({"pairs": "4", "rate": "1e-1", "show": "true", "url": "7"}, known)
    assert check(given, known) == {"scale": "demo", "pairs": 4, "rate": 0.1, "url": "7", "show": True}


@pytest.mark.parametrize(
    "bad",
    [{"pairs": 1}, {"pairs": 31}, {"pairs": "4"}, {"pairs": True}, {"pairs": np.int64(4)}, {"rate": float("nan")},
     {"rate": 2.0}, {"url": Path("x")}, {"url": "x" * 1_000_000}, {"scale": "big"}, {"show": 1}, {"rate": (0.1,)}],
)  # fmt: skip
def test_what_does_not_fit_is_refused(known, bad: dict) -> None:
    with pytest.raises(ParameterError, match="does not fit"):
        check(bad, known)


@pytest.mark.parametrize("name", ["x = __import__('os')\n", "__class__", "a b", "print"])
def test_hostile_names_are_refused(known, name: str) -> None:
    with pytest.raises(ParameterError, match="unknown parameter"):
        check({name: 1}, known)


def test_a_letter_wrong_gets_the_right_name(known) -> None:
    with pytest.raises(ParameterError, match="did you mean 'pairs'"):
        check({"pair": 4}, known)


@pytest.mark.parametrize("slug", studies.names())
def test_every_study_keeps_the_contract(slug: str) -> None:
    listed = studies.listing(slug)
    study = studies.load(slug).STUDY
    found = schema(listed.notebook)
    assert set(COMMON) <= set(found)
    assert listed.pillar == study.pillar
    assert listed.version == study.version
    assert "arXiv" in listed.title
    for sizes in study.scales.values():
        assert sizes.keys() <= found.keys()
        assert all(found[k].default is None for k in sizes)


def test_an_unknown_study_gets_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'saliency'"):
        studies.listing("salency")


def test_identity_changes_with_what_changes_the_answer(tmp_path: Path) -> None:
    values = check({}, schema(studies.listing("saliency").notebook))
    base = identity.identify("saliency", values)
    assert identity.identify("saliency", values | {"seed": 1}).id != base.id
    assert identity.identify("saliency", values | {"show_faces": True, "out": "x"}).id == base.id
    files = {f.name for f in _closure()}
    assert {"explain.py", "deletion.py", "raster.py", "verification.py", "verdict.py"} <= files


def _closure() -> set[Path]:
    seen: set[Path] = set()
    waiting = [studies.listing("saliency").module]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += identity.imported(file)
    return seen


def test_a_moved_folder_is_the_same_data(tmp_path: Path) -> None:
    from PIL import Image

    for root in ("here", "there"):
        (tmp_path / root / "Ann").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / root / "Ann" / "1.png")
    values = check({}, schema(studies.listing("saliency").notebook))
    there = values | {"data": f"folder:{tmp_path / 'there'}"}
    before = identity.identify("saliency", values | {"data": f"folder:{tmp_path / 'here'}"})
    assert before.id == identity.identify("saliency", there).id
    Image.new("RGB", (8, 8), (0, 0, 1)).save(tmp_path / "there" / "Ann" / "1.png")
    assert before.id != identity.identify("saliency", there).id


def test_several_sets_and_weights_are_part_of_the_identity_each(tmp_path: Path) -> None:
    from PIL import Image

    for person in ("Ann", "Ben"):
        (tmp_path / person / person).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / person / person / "1.png")
        (tmp_path / f"{person}.onnx").write_text("weights")
    values = check({}, schema(studies.listing("saliency").notebook))
    values |= {
        "data": f"folder:{tmp_path / 'Ann'};folder:{tmp_path / 'Ben'}",
        "model": f"onnx:{tmp_path / 'Ann.onnx'};onnx:{tmp_path / 'Ben.onnx'}",
    }
    found = [identity.identify("saliency", values)]
    assert found[0].parameters["data"] == "folder;folder"
    swapped = values | {"data": f"folder:{tmp_path / 'Ben'};folder:{tmp_path / 'Ann'}"}
    found.append(identity.identify("saliency", swapped))
    Image.new("RGB", (8, 8), (0, 0, 1)).save(tmp_path / "Ben" / "Ben" / "1.png")
    found.append(identity.identify("saliency", values))
    (tmp_path / "Ben.onnx").write_text("others")
    found.append(identity.identify("saliency", values))
    assert len({who.id for who in found}) == 4


def test_relative_paths_hold_from_anywhere_in_each_of_several(tmp_path: Path) -> None:
    assert absolute("lfw:a;folder:b/c;phantom", tmp_path) == f"lfw:{tmp_path / 'a'};folder:{tmp_path / 'b/c'};phantom"
    assert absolute("lfw:a;b", tmp_path) == f"lfw:{tmp_path / 'a;b'}"
    assert absolute("phantom") == "phantom"
    assert absolute("onnx:a.onnx;faceapi-recogniser", tmp_path) == f"onnx:{tmp_path / 'a.onnx'};faceapi-recogniser"


def test_the_code_digest_covers_models_found_by_their_folder() -> None:
    assert "faceapi_recogniser.py" in {f.name for f in _closure()}


def test_imports_are_found_wherever_a_statement_may_stand(tmp_path: Path) -> None:
    text = """
import first
if later:
    from workbench import second
elif earlier:
    import third
else:
    import fourth
try:
    import fifth
except* OSError:
    import sixth
else:
    import seventh
finally:
    import eighth
match value:
    case 1:
        import ninth
with place:
    async def inner():
        async for one in many:
            import tenth
class Kept:
    def method(self):
        while True:
            import eleventh.part
"""
    path = tmp_path / "module.py"
    path.write_text(text)
    everywhere = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    plain = [a.name.split(".") for n in everywhere if isinstance(n, ast.Import) for a in n.names]
    found = identity.named(path)
    assert len(everywhere) == 11
    assert sorted(found) == sorted([*plain, ["workbench"], ["workbench", "second"]])


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "a\0b"])
def test_a_path_that_no_file_can_have_is_refused_in_words(path: str) -> None:
    with pytest.raises(ParameterError, match="no file can have this path"):
        absolute(f"lfw:{path}")


def test_without_a_path_the_current_folder_is_not_taken_for_one() -> None:
    assert absolute("lfw:") == "lfw:"


def test_bounds_are_said_as_they_are_written() -> None:
    for low, high, said in ((0, 1234567, "0 to 1234567"), (-0.5, 1e-7, "-0.5 to 1e-07"), (0.0001, 2.0, "0.0001 to 2")):
        p = Parameter("n", "float", 0.0, False, (), float(low), float(high), "")
        assert describe(p) == f"float from {said}"
