import pickle

import pytest

from workbench.core import Estimate, ImageError, ShapeError, Undefined, UnknownNameError, seeds


def test_undefined_is_not_a_number() -> None:
    nothing = Undefined("no mated trials", {"mated": 0, "nonmated": 12})
    assert str(nothing) == "undefined: no mated trials (mated 0, nonmated 12)"
    assert not nothing
    with pytest.raises(ShapeError, match="undefined value was used as a number"):
        float(nothing)


def test_an_estimate_refuses_nan() -> None:
    with pytest.raises(ShapeError, match="value is NaN"):
        Estimate(float("nan"))


def test_an_estimate_prints_its_interval() -> None:
    assert str(Estimate(0.0123, 0.01, 0.02)) == "0.0123 [0.01, 0.02]"
    assert str(Estimate(Undefined("no faces"))) == "undefined: no faces"


def test_errors_keep_their_parts_across_processes() -> None:
    error = pickle.loads(pickle.dumps(ImageError("cannot decode", given="GIF87", expected="JPEG", do="convert it")))
    assert (type(error), error.given, error.do) == (ImageError, "GIF87", "convert it")
    unknown = pickle.loads(pickle.dumps(UnknownNameError("study", "salency", ["saliency"])))
    assert type(unknown) is UnknownNameError
    assert "did you mean 'saliency'?" in str(unknown)


def test_an_unknown_name_lists_what_is_known() -> None:
    assert "one of: a, b" in str(UnknownNameError("model", "zzzz", ["b", "a"]))
    assert "no model is registered" in str(UnknownNameError("model", "zzzz", []))


def test_seeds_depend_on_every_name_and_on_their_borders() -> None:
    seen = {seeds.integer(*n) for n in [("a", 1), ("a", 2), ("a1",), ("a", "1"), (1, "a"), ("a",), ()]}
    assert len(seen) == 7
    assert all(0 <= s < 2**63 for s in seen)
    assert seeds.rng("x", 3).integers(1 << 60) == seeds.rng("x", 3).integers(1 << 60)


def test_seeds_refuse_what_has_no_stable_text() -> None:
    with pytest.raises(TypeError, match="str or an int"):
        seeds.integer(0.5)  # type: ignore[arg-type]
