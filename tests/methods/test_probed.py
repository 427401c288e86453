"""Scores of answers, each worked by hand; what was not answered is never a wrong answer."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from workbench import files, probing
from workbench.core import DataError, ParameterError, Undefined
from workbench.methods import probed
from workbench.methods.probed import BETWEEN, Told, Truth


def value(name: str, said: Any, **more: Any) -> Told:
    return Told(name, tuple(name.split(BETWEEN)), "value", said, "m", "direct 1", **more)


def lost(name: str, outcome: str) -> Told:
    return Told(name, tuple(name.split(BETWEEN)), outcome, None, "m", "direct 1")  # type: ignore[arg-type]


def number(found: probed.Scored, name: str) -> float:
    return float(found.numbers[name])


PEOPLE = Truth.of(["a1", "a2", "b1", "b2", "c1"], subject=["a", "a", "b", "b", "c"], tone=["x", "x", "x", "y", "y"])


def pair(left: str, right: str, same: bool, sure: float | None = None) -> Told:
    return value(f"{left}{BETWEEN}{right}", {"same_person": same, "confidence": sure})


def test_verification_by_hand() -> None:
    replies = [
        pair("a1", "a2", True, 0.9), pair("b1", "b2", False, 0.6), pair("a1", "b1", False, 0.95),
        pair("a2", "c1", True, 0.5), pair("b1", "c1", False), lost(f"a1{BETWEEN}c1", "refusal"),
        lost(f"a2{BETWEEN}b2", "unparsed"), lost(f"b2{BETWEEN}c1", "errored"),
    ]  # fmt: skip
    found = probed.score("verification", replies, PEOPLE, resamples=0)
    assert number(found, "accuracy, of answered") == pytest.approx(3 / 5)
    assert number(found, "right, of all replies") == pytest.approx(3 / 7)
    assert number(found, "TMR") == 0.5
    assert number(found, "FMR") == pytest.approx(1 / 3)
    assert number(found, "refusals") == pytest.approx(1 / 7)
    assert number(found, "unparsed replies") == pytest.approx(1 / 7)
    assert number(found, "transport errors") == pytest.approx(1 / 8)
    assert number(found, "confidence given") == pytest.approx(4 / 5)
    assert number(found, "Brier score") == pytest.approx((0.1**2 + 0.6**2 + 0.05**2 + 0.5**2) / 4)
    # How likely each pair is the same person, by what was said: 0.9, 0.4 mated; 0.05, 0.5 not.
    assert number(found, "AUC") == pytest.approx(roc_auc_score([1, 1, 0, 0], [0.9, 0.4, 0.05, 0.5])) == 0.75
    assert found.counts == {
        "questions": 8, "answered": 5, "refused": 1, "unparsed": 1, "errored": 1, "without truth": 0,
    }  # fmt: skip


def test_identification_beside_chance() -> None:
    def search(probe: str, candidates: list[str], match: int) -> Told:
        return value(BETWEEN.join([probe, *candidates]), {"match": match, "confidence": None})

    replies = [
        search("a1", ["b1", "a2"], 2), search("b1", ["b2", "a1", "c1", "a2"], 2),
        search("b2", ["a1", "b1"], 0), search("c1", ["a1", "b1"], 0), search("c1", ["a2", "b2"], 1),
    ]  # fmt: skip
    found = probed.score("identification", replies, PEOPLE, resamples=0)
    assert number(found, "rank-1 rate") == pytest.approx(1 / 3)
    assert number(found, "rank-1 rate by chance") == pytest.approx((1 / 2 + 1 / 4 + 1 / 2) / 3)
    assert number(found, "rank-1 rate above chance") == pytest.approx(1 / 3 - 1.25 / 3)
    assert number(found, "none said, mated") == pytest.approx(1 / 3)
    assert number(found, "FPIR") == 0.5
    assert number(found, "accuracy, of answered") == pytest.approx(2 / 5)


def test_ages_and_ranges_by_hand() -> None:
    truth = Truth.of(["p", "q", "r"], age=[30, 40, 50])
    points = [value("p", {"age": 33.0}), value("q", {"age": 30.0}), lost("r", "refusal")]
    found = probed.score("age", points, truth, resamples=0)
    assert number(found, "mean absolute error") == 6.5
    assert number(found, "mean error") == -3.5
    assert number(found, "CS(5)") == 0.5
    assert "every picture counts as a capture subject" in found.notes[0]
    ranges = [value(n, {"age_low": a, "age_high": b}) for n, a, b in (("p", 25, 35), ("q", 40, 44), ("r", 30, 40))]
    found = probed.score("age-range", ranges, truth, resamples=0)
    assert number(found, "range holds the age") == pytest.approx(2 / 3)
    assert number(found, "mean width") == 8
    assert number(found, "interval score") == pytest.approx((10 + 4 + 10 + 10 * 10) / 3)


def test_classes_against_scikit_learn_and_in_every_spelling_of_the_truth() -> None:
    said = ["woman", "man", "man", "woman", "woman"]
    truth = Truth.of(list("pqrst"), gender=["female", "Man", "woman", "man", "Woman"], subject=list("pqrst"))
    found = probed.score("gender", [value(n, {"gender": g}) for n, g in zip("pqrst", said, strict=True)], truth,
                         resamples=0)  # fmt: skip
    true = ["woman", "man", "woman", "man", "woman"]
    assert number(found, "accuracy, of answered") == pytest.approx(0.6)
    assert number(found, "balanced accuracy") == pytest.approx(balanced_accuracy_score(true, said))
    assert number(found, "kappa with the truth") == pytest.approx(cohen_kappa_score(true, said))
    assert found.labels == ("woman", "man")
    assert found.confusion is not None
    assert found.confusion.tolist() == [[2, 1], [1, 1]]
    with pytest.raises(DataError, match="none of the options for 'gender'"):
        probed.score("gender", [value("p", {"gender": "man"})], Truth.of(["p"], gender=["robot"]))
    tones = probed.score("group:tone", [value("a1", {"tone": "x"}), value("c1", {"tone": "x"})], PEOPLE,
                         options=["x", "y"], resamples=0)  # fmt: skip
    assert number(tones, "accuracy, of answered") == 0.5


def test_attributes_by_hand() -> None:
    truth = Truth.of(["p", "q"], hat=["yes", "0"], beard=["no", "false"])
    replies = [value("p", {"hat": True, "beard": True}), value("q", {"hat": False, "beard": False})]
    found = probed.score("attributes", replies, truth, options=["hat", "beard"], resamples=0)
    assert number(found, "hat: accuracy") == 1
    assert number(found, "beard: accuracy") == 0.5
    assert number(found, "mean balanced accuracy") == 0.75


def test_attacks_by_hand() -> None:
    names = ["f1", "f2", "p1", "p2", "r1", "r2"]
    truth = Truth.of(names, species=["", "bona fide", "print", "print", "replay", "replay"], subject=list("uvwxyz"))

    def say(name: str, attack: bool, sure: float | None = None) -> Told:
        return value(name, {"attack": attack, "confidence": sure, "kind": "", "explanation": ""})

    replies = [say("f1", False, 0.9), say("f2", True, 0.6), say("p1", True, 0.8), say("p2", False, 0.3),
               say("r1", True), lost("r2", "refusal")]  # fmt: skip
    found = probed.score("attack", replies, truth, resamples=0)
    assert number(found, "APCER, print") == 0.5
    assert number(found, "APCER, replay") == 0
    assert number(found, "APCER, worst species") == 0.5
    assert number(found, "BPCER") == 0.5
    assert number(found, "APNRR, replay") == 0.5
    assert number(found, "BPNRR") == 0
    assert number(found, "accuracy, of answered") == pytest.approx(3 / 5)
    assert number(found, "Brier score") == pytest.approx((0.1**2 + 0.6**2 + 0.2**2 + 0.3**2) / 4)
    # How likely each is an attack: 0.1 and 0.6 of the bona fide, 0.8 and 0.7 of the attacks.
    assert number(found, "D-EER") == 0


def test_people_are_matched_from_the_left_and_counted() -> None:
    truth = Truth.of(
        ["g", "g", "g", "h", "h"], x=[0.8, 0.1, 0.5, 10, 20], age=[80, 10, 50, 20, 30],
        gender=["man", "woman", "man", "man", "woman"], subject=list("CABDE"),
    )  # fmt: skip

    def person(position: int, age: float, gender: str) -> dict[str, Any]:
        return {"position": position, "age": age, "gender": gender, "expression": "neutral"}

    replies = [
        value("g", [person(1, 12, "woman"), person(2, 51, "woman")]),
        value("h", [person(1, 20, "man"), person(2, 33, "woman"), person(3, 1, "man")]),
    ]
    found = probed.score("people", replies, truth, resamples=0)
    assert number(found, "right count of faces") == 0
    assert number(found, "faces missing a picture") == 0.5
    assert number(found, "answers too many a picture") == 0.5
    assert number(found, "age: mean absolute error") == pytest.approx((2 + 1 + 0 + 3) / 4)
    assert number(found, "gender: accuracy") == pytest.approx(3 / 4)
    assert isinstance(found.numbers["age: mean absolute error, right count"].value, Undefined)
    assert "expression: accuracy" not in found.numbers
    whole = probed.score("people", [value("h", [person(2, 33, "woman"), person(1, 20, "man")])], truth, resamples=0)
    assert number(whole, "age: mean absolute error, right count") == 1.5


def test_groups_have_their_own_refusals_and_numbers() -> None:
    truth = Truth.of([f"p{i}" for i in range(8)], age=[30] * 8, tone=["light"] * 4 + ["dark"] * 4)
    replies = [value(f"p{i}", {"age": 31.0 + 4 * (i > 3)}) for i in range(6)]
    replies += [lost("p6", "refusal"), lost("p7", "errored")]
    found = probed.score("age", replies, truth, group="tone", resamples=0)
    assert {g: float(n["mean absolute error"]) for g, n in found.groups.items()} == {"light": 1, "dark": 5}
    assert {g: float(n["refusals"]) for g, n in found.groups.items()} == {"light": 0, "dark": pytest.approx(1 / 3)}
    assert float(found.groups["dark"]["transport errors"]) == 0.25
    with pytest.raises(DataError, match="no column 'race', which the comparison of groups needs"):
        probed.score("age", replies, truth, group="race")


def test_intervals_are_over_people() -> None:
    # Ten people, twenty pictures each, everything about a person equally wrong.
    names = [f"{who}-{k}" for who in range(10) for k in range(20)]
    errors = np.repeat(np.arange(10.0), 20)
    replies = [value(n, {"age": 30.0 + e}) for n, e in zip(names, errors, strict=True)]
    own = Truth.of(names, age=[30] * 200)
    shared = Truth.of(names, age=[30] * 200, subject=[n.split("-")[0] for n in names])
    narrow, wide = (probed.score("age", replies, t, resamples=300).numbers["mean absolute error"]
                    for t in (own, shared))  # fmt: skip
    assert float(narrow) == float(wide) == 4.5
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_consistency_by_hand() -> None:
    both = [
        pair("a1", "a2", True), pair("a2", "a1", True), pair("b1", "b2", True), pair("b2", "b1", False),
        pair("a1", "b1", False), pair("b1", "a1", False), pair("a1", "c1", True), lost(f"c1{BETWEEN}a1", "refusal"),
        pair("b1", "c1", True),
    ]  # fmt: skip
    found = probed.consistency("verification", both, "order", truth=PEOPLE, resamples=0)
    assert found["both answered"].counts == {"pairs": 4}
    assert float(found["both answered"]) == 0.75
    assert float(found["one answered"]) == 0.25
    assert float(found["agreement"]) == pytest.approx(2 / 3)
    assert float(found["kappa"]) == pytest.approx(cohen_kappa_score([True, True, False], [True, False, False]))

    def search(order: str, match: int) -> Told:
        return Told(BETWEEN.join(order), tuple(order), "value", {"match": match}, "m", "direct 1")

    # The same candidate under another number is the same answer; the same number is not.
    moved = [search("pxyz", 2), search("pzxy", 3), search("quvw", 1), search("qvuw", 1), search("rab", 1)]
    moved.append(search("rba", 2))
    found = probed.consistency("identification", moved, "order", resamples=0)
    assert float(found["agreement"]) == pytest.approx(2 / 3)
    assert "kappa" not in found
    # A number beyond the candidates is read where the question allowed it, and is no picture.
    beyond = probed.consistency("identification", [search("pxy", 5), search("pyx", 5)], "order", resamples=0)
    assert float(beyond["agreement"]) == 1
    worded = [value("p", {"age": 30.0}), replace(value("p", {"age": 34.0}), wording="generated 1"),
              replace(value("p", {"age": 30.0}), attempt=1)]  # fmt: skip
    assert float(probed.consistency("age", worded, "wording", resamples=0)["mean difference"]) == 4
    assert float(probed.consistency("age", worded, "attempt", resamples=0)["agreement"]) == 1
    for task, change in (("age", "order"), ("people", "wording"), ("attributes", "attempt")):
        with pytest.raises(ParameterError, match="no one value, or no order"):
            probed.consistency(task, worded, change)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="unknown change"):
        probed.consistency("age", worded, "weather")  # type: ignore[arg-type]


def record(text: str, task: str = "age", state: str = "answered", **more: Any) -> probing.Record:
    digests = more.pop("pictures", ["0"])
    return probing.Record(text, state, text, task=task, version="1", framing="direct", model="m",
                          pictures=json.dumps(digests), **more)  # type: ignore[arg-type]  # fmt: skip


def test_records_are_read_as_what_they_are() -> None:
    records = [
        record("31 years", name="p"), record("I can't help with that.", name="q"),
        record("between 20 and 30", name="r"),
        record("", state="errored", name="s"), record("no", state="refused", name="t"), record("woman", "gender"),
    ]  # fmt: skip
    found = probed.told(records, "age")
    assert [t.outcome for t in found] == ["value", "refusal", "unparsed", "errored", "refusal"]
    assert found[0].value == {"age": 31.0}
    (match,) = probed.told([record("candidate 3", "identification", pictures=list("pabc"))], "identification")
    assert match.value["match"] == 3
    with pytest.raises(ParameterError, match="options that were offered"):
        probed.told([record("x", "group:tone")], "group:tone")


def test_servers_elsewhere_with_a_model_of_one_name_are_two() -> None:
    kept = [
        probing.Record("a", "answered", "30", task="age", model="m", host="127.0.0.1:8000", consent="loopback"),
        probing.Record("b", "answered", "30", task="age", model="m", host="a.example", consent="a.example d"),
        probing.Record("c", "answered", "30", task="age", model="m", host="b.example", consent="b.example d"),
    ]
    assert [t.model for t in probed.told(kept, "age")] == ["m", "m at a.example", "m at b.example"]


def test_answers_that_do_not_belong_together_are_refused() -> None:
    truth = Truth.of(["p"], age=[3])
    for replies in ([], [value("p", {"age": 1.0}), replace(value("p", {"age": 1.0}), model="n")]):
        with pytest.raises(ParameterError, match="scored by model, wording"):
            probed.score("age", replies, truth)
    with pytest.raises(DataError, match="no question has a truth"):
        probed.score("age", [value("z", {"age": 1.0})], truth)
    with pytest.raises(DataError, match="no column 'subject', which verification needs"):
        probed.score("verification", [pair("p", "p", True)], truth)
    with pytest.raises(DataError, match="2 rows for 'p'"):
        probed.score("age", [value("p", {"age": 1.0})], Truth.of(["p", "p"], age=[3, 4]))
    with pytest.raises(DataError, match="no number for 'age'"):
        probed.score("age", [value("p", {"age": 1.0})], Truth.of(["p"], age=["old"]))
    with pytest.raises(ParameterError, match="no scorer"):
        probed.score("weather", [value("p", {})], truth)


def test_a_truth_is_read_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("picture,age\na.png, 31\nb.png,7\n")
    assert probed.read_truth(tmp_path / "t.csv").rows["a.png"] == ({"age": "31"},)
    files.write_columns(tmp_path / "t.npz", {"picture": np.array(["a"]), "age": np.array([31])})
    assert probed.read_truth(tmp_path / "t.npz").rows["a"] == ({"age": "31"},)
    (tmp_path / "u.csv").write_text("file,age\na.png,31\n")
    with pytest.raises(DataError, match="names no pictures"):
        probed.read_truth(tmp_path / "u.csv")
