"""The study of chat models: every pitfall, what each claim follows, and runs on phantoms in published layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import data, probing
from workbench.claims import judge
from workbench.core import ConsentError, DataError, Evidence, Result, Samples, Trials, Verdict
from workbench.methods import asked, chat_faces
from workbench.methods.asked import NO_PICTURE, NO_REPLY, NOT_ASKED, REFUSAL, UNDECIDED, VALUE, Chat, Replies
from workbench.methods.chat_asking import DOUBLE, pairs_shown, server_for
from workbench.methods.chat_dedicated import Compared, Readings
from workbench.probing.responder import BlankEyes, Responder
from workbench.studies import llm_biometrics as llm
from workbench.testing.contracts import check_study

NAN = np.nan
SIZES = llm.STUDY.scales["smoke"]


def small(**more: Any) -> dict[str, Any]:
    names = ("identities", "pairs", "singles", "people", "images", "size")
    return {k: SIZES[k] for k in names} | {"size": 48, "seed": 0} | more


@pytest.fixture(scope="module")
def material() -> llm.Material:
    return llm.faces("phantom", "smoke", **small())


@pytest.fixture(scope="module")
def trained(material: llm.Material) -> llm.Networks:
    return llm.networks(material, Chat(), "", chat_epochs=1, network_epochs=1, seed=0)


OPTIONS: dict[str, Any] = {"framing": "direct", "layout": "two", "attempts": 3, "again": 6, "seed": 0}


def test_the_study_keeps_its_contract() -> None:
    check_study("llm-biometrics")


def test_a_run_asks_everything_once_and_a_second_run_sends_nothing(
    material: llm.Material, trained: llm.Networks, tmp_path: Path
) -> None:
    store = str(tmp_path / "answers.sqlite")

    def run() -> tuple[llm.Answers, llm.Variations]:
        told = llm.answers(material, trained, Chat(), store, **OPTIONS)
        return told, llm.variations(material, trained, Chat(), store, **OPTIONS)

    (told, varied), (again, varied_again) = run(), run()
    sent = sum(r.sent for r in told.all())
    assert sent >= 16 + 2 * 12
    assert sum(r.calls for r in told.all()) == sent <= llm.most_calls(material, 3, 6)
    both = [r for pair in varied_again.framed.values() for r in pair if r is not None]
    assert varied_again.swapped is not None
    assert [r.sent for r in (*again.all(), *both, varied_again.swapped)] == [0] * 8
    for one, other in zip(told.all(), again.all(), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.texts == other.texts
    # The direct framing of the variations was asked already.
    direct = varied.framed["direct"]
    assert [r.sent for r in direct if r is not None] == [0, 0]
    beside = llm.dedicated(material, trained, "", seed=0)
    found = llm.evidence(material, beside, told, varied)
    assert all(r.key in found.numbers for r in llm.STUDY.reported if r.key)
    c6 = {v.claim: v for v in judge(llm.STUDY.claims, found, resamples=50)}["C6"]
    assert (c6.answer, "photographs" in c6.reason) == ("not testable here", True)
    # Every record says what was said before the question.
    with probing.Store(store) as kept:
        records = list(kept)
    assert {r.framing for r in records} == {"direct", "generated"}
    assert {r.dataset for r in records} == {"phantom"}
    assert all(r.text for r in records)
    # The responder looks at the pair whichever picture comes first.
    assert float(found.numbers["agreement, both orders of a pair"]) == 1


# Claims, on made-up replies.

N = 60


def pairs_of(n: int) -> tuple[Samples, Trials]:
    images = np.random.default_rng(0).integers(0, 256, (2 * n, 16, 16, 3), dtype=np.uint8)
    people = np.array([f"{i // 2:03d}" for i in range(2 * n)])
    k = np.arange(n)
    mated = k % 2 == 0
    reference, probe = 2 * k, np.where(mated, 2 * k + 1, (2 * k + 3) % (2 * n))
    trials = Trials(reference, probe, mated, np.stack([reference // 2, probe // 2], 1), k % 5)
    return Samples("made/up", tuple(map(str, range(2 * n))), people, images, real=False), trials


def singles_of(n: int) -> Samples:
    rng = np.random.default_rng(1)
    known = {"age": np.tile([25, 35, 45, 65, 70], n // 5), "masculine": np.tile([0, 1], n // 2)}
    images = rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    return Samples(
        "made/up", tuple(map(str, range(n))), np.array([f"s{i:03d}" for i in range(n)]), images, known, real=False
    )


def made(task: str, values: Any, outcomes: Any = None, framing: str = "direct") -> Replies:
    """Replies of one or more attempts; NaN is a refusal unless said otherwise."""
    values = np.asarray(values, float)
    values = values if values.ndim == 3 else values[None]
    kinds = np.where(np.isnan(values[:, :, 0]), REFUSAL, VALUE).astype("<U9") if outcomes is None else outcomes
    texts = tuple(tuple(row) for row in kinds.tolist())
    return Replies(task, "1", framing, kinds, values, texts, kinds.size, kinds.size, ("m",), ("2026-01-01",) * 2, "{}")


def two(said: Any) -> Any:
    return np.stack([np.asarray(said, float), np.full(len(said), NAN)], 1)


def share_right(true: Any, share: float, seed: int) -> Any:
    hit = np.random.default_rng(seed).random(len(true)) < share
    return np.where(hit, true, 1 - np.asarray(true)).astype(float)


class World:
    """Made-up material, and evidence of whatever the chat model would have said about it."""

    def __init__(self, n: int = N) -> None:
        self.pairs, self.trials = pairs_of(n)
        self.singles = singles_of(n)
        self.material = llm.Material("phantom", "x", "", False, self.pairs, self.trials, self.singles)
        self.n = n

    def beside(self, share: float) -> llm.Dedicated:
        accepted = share_right(self.trials.mated, share, 5)
        fold = np.asarray(self.trials.fold)
        return llm.Dedicated(Compared(accepted, accepted, fold, "n", "cpu", "d"),
                             Readings("reader", np.zeros(self.n), np.full(self.n, 40.0)))  # fmt: skip

    def evidence(self, *, verification: Any = None, sex: Any = None, age: Any = None, network: float = 0.9,
                 framed: Mapping[str, Any] | None = None) -> Evidence:  # fmt: skip
        verification = (
            made("verification", two(share_right(self.trials.mated, 0.8, 1))) if verification is None else verification
        )
        masculine = np.asarray(self.singles.attributes["masculine"])
        sex = made("gender", share_right(masculine, 0.95, 2)[:, None]) if sex is None else sex
        years = np.asarray(self.singles.attributes["age"], float)
        age = made("age-range", np.stack([years - years / 10, years + years / 10], 1)) if age is None else age
        varied = llm.Variations(np.arange(self.n), np.arange(self.n), framed or {}, verification)
        return llm.evidence(self.material, self.beside(network), llm.Answers(verification, sex, age), varied)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def verdicts(found: Evidence) -> dict[str, Verdict]:
    return {v.claim: v for v in judge(llm.STUDY.claims, found, resamples=300)}


def test_verification_must_beat_chance_and_not_the_network(world: World) -> None:
    mated = world.trials.mated
    for share, network, answer in ((0.8, 0.97, "supported"), (0.97, 0.7, "refuted"), (0.2, 0.97, "refuted")):
        replies = made("verification", two(share_right(mated, share, 3)))
        assert verdicts(world.evidence(verification=replies, network=network))["C1"].answer == answer, (share, network)


def test_mcnemars_test_stands_beside_the_bootstrap(world: World) -> None:
    replies = made("verification", two(share_right(world.trials.mated, 0.6, 3)))
    found = world.evidence(verification=replies, network=0.95).numbers
    exact, mid = (
        found[f"McNemar's {v} p-value, chat model and network".replace("mid p", "mid-p")]
        if v == "exact"
        else found["McNemar's mid-p-value, chat model and network"]
        for v in ("exact", "mid")
    )
    assert 0 < float(mid) < float(exact) < 0.01
    one = np.asarray(replies.decided[:, 0] == world.trials.mated)
    other = world.beside(0.95).compared.accepted == world.trials.mated  # type: ignore[union-attr]
    assert exact.counts == {"trials": N, "only the first right": int((one & ~other).sum()),
                            "only the second right": int((~one & other).sum())}  # fmt: skip


def test_a_refusal_is_not_different_people(world: World) -> None:
    """Refusing every non-mated pair is no way to be right about them."""
    said = np.where(world.trials.mated, 1.0, NAN)
    found = world.evidence(verification=made("verification", two(said))).numbers
    assert float(found["accuracy over all, verification: chat model"]) == 0.5
    assert float(found["accuracy over answered, verification: chat model"]) == 1
    assert float(found["refusals, in the end: verification"]) == 0.5
    assert float(found["undecided, in the end: verification"]) == 0
    undecided = made("verification", two(said), np.where(np.isnan(said), UNDECIDED, VALUE)[None].astype("<U9"))
    numbers = world.evidence(verification=undecided).numbers
    assert float(numbers["refusals, in the end: verification"]) == 0
    assert float(numbers["undecided, in the end: verification"]) == 0.5
    lost = made("verification", two(said), np.where(np.isnan(said), NO_REPLY, VALUE)[None].astype("<U9"))
    assert float(world.evidence(verification=lost).numbers["no reply, in the end: verification"]) == 0.5


def test_sex_and_age_are_compared_on_the_same_pictures_unanswered_ones_too(world: World) -> None:
    masculine = np.asarray(world.singles.attributes["masculine"], float)
    years = np.asarray(world.singles.attributes["age"], float)
    missing = np.where((np.arange(N) % 3 > 0)[:, None], NAN, np.stack([years - 3, years + 3], 1))
    few = world.evidence(sex=made("gender", masculine[:, None]), age=made("age-range", missing))
    assert verdicts(few)["C2"].answer == "supported"
    assert float(few.numbers["accuracy over answered, age range: chat model"]) == 1
    assert float(few.numbers["accuracy over all, age range: chat model"]) == pytest.approx(1 / 3)
    # One person is told rightly: where all are alike, an interval has no width and decides nothing.
    wrong = world.evidence(sex=made("gender", np.where(np.arange(N) > 0, 1 - masculine, masculine)[:, None]))
    assert verdicts(wrong)["C2"].answer == "refuted"


def test_widths_of_old_and_young_are_compared_and_nobody_between_counts(world: World) -> None:
    years = np.asarray(world.singles.attributes["age"], float)
    noise = np.random.default_rng(0).random(N)
    for slope, answer in ((0.2, "supported"), (-0.2, "refuted")):
        half = 15 + slope * (years - 45) + noise
        # The middle-aged have absurd widths.
        half = np.where((years >= 40) & (years < 60), 40, half)
        found = world.evidence(age=made("age-range", np.stack([years - half, years + half], 1)))
        assert verdicts(found)["C3"].answer == answer
    effect = verdicts(found)["C3"].effect
    assert effect is not None
    old, young = half[years >= 60], half[years < 40]
    assert float(effect) == pytest.approx(2 * (old.mean() - young.mean()))
    assert effect.counts["units"] == len(old) + len(young)


def test_the_preamble_is_compared_on_the_same_things(world: World) -> None:
    rng = np.random.default_rng(4)
    often, seldom = rng.random(N) < 0.5, rng.random(N) < 0.05

    def refusing(mask: Any, framing: str) -> tuple[Replies, Replies]:
        said = np.where(mask, NAN, 1.0)
        return made("verification", two(said), None, framing), made("gender", said[:, None], None, framing)

    for direct, generated, answer in ((often, seldom, "supported"), (seldom, often, "refuted")):
        framed = {"direct": refusing(direct, "direct"), "generated": refusing(generated, "generated")}
        found = world.evidence(framed=framed)
        verdict = verdicts(found)["C4"]
        assert verdict.answer == answer
        assert verdict.effect is not None
        assert verdict.effect.counts["units"] == 2 * N
        assert float(verdict.effect) == pytest.approx(generated.mean() - direct.mean())
        assert float(found.numbers["refused at the first asking: direct"]) == pytest.approx(direct.mean())


def test_asking_again_must_decide_more_and_agree(world: World) -> None:
    rng = np.random.default_rng(6)
    said = share_right(world.trials.mated, 0.8, 1)
    masculine = np.asarray(world.singles.attributes["masculine"], float)

    def loop(task: str, true: Any, same: bool) -> Replies:
        """A half is decided at first, half of the rest each time; all are asked every time, and one is moody."""
        values = np.full((3, N, 1), NAN)
        for k in range(3):
            decided = rng.random(N) < (0.5 if k < 2 else 0.9)
            again = np.where((np.arange(N) > 0) & same | (k % 2 > 0), true, 1 - true)
            values[k, :, 0] = np.where(decided, again, NAN)
        kinds = np.where(np.isnan(values[:, :, 0]), REFUSAL, VALUE).astype("<U9")
        full = np.concatenate([values, np.full_like(values, NAN)], 2) if task == "verification" else values
        return made(task, full, kinds)

    good = world.evidence(verification=loop("verification", said, True), sex=loop("gender", masculine, True))
    assert verdicts(good)["C5"].answer == "supported"
    moody = world.evidence(verification=loop("verification", said, False), sex=loop("gender", masculine, True))
    assert verdicts(moody)["C5"].answer == "refuted"


def test_without_a_third_asking_the_loop_is_not_testable(world: World) -> None:
    verdict = verdicts(world.evidence())["C5"]
    assert verdict.answer == "not testable here"


def test_photographs_and_generated_faces_are_compared_where_there_are_both(world: World) -> None:
    singles = replace(world.singles, real=True)
    material = llm.Material("utkface", "x", "", True, None, None, singles, world.singles)
    masculine = np.asarray(singles.attributes["masculine"], float)
    years = np.asarray(singles.attributes["age"], float)

    def told(share: float) -> llm.Answers:
        # A few are told wrongly, other people in photographs than in generated faces: equal, and not alike everywhere.
        here = np.arange(N)
        good = made("gender", np.where(here == 0, 1 - masculine, masculine)[:, None])
        said = np.where((here == 1) & (share == 1), 1 - masculine, share_right(masculine, share, 8))
        ages = [made("age-range", np.stack([years - 2, years + 2], 1) + 50 * (here == k)[:, None]) for k in (2, 3)]
        return llm.Answers(None, made("gender", said[:, None]), ages[0], good, ages[1])

    varied = llm.Variations(np.zeros(0, np.int64), np.arange(N), {}, None)
    same = llm.evidence(material, llm.Dedicated(None, None), told(1.0), varied)
    assert verdicts(same)["C6"].answer == "supported"
    assert verdicts(same)["C1"].answer == "not testable here"
    worse = llm.evidence(material, llm.Dedicated(None, None), told(0.5), varied)
    verdict = verdicts(worse)["C6"]
    assert verdict.answer == "refuted"
    assert verdict.effect is not None
    expected = (share_right(masculine, 0.5, 8) == masculine).mean() - (N - 1) / N
    assert float(verdict.effect) == pytest.approx(expected)
    assert "untrue" in verdicts(worse)["C4"].reason


# Real layouts, and whom is asked.


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms in the published layouts of LFW and UTKFace."""
    root = tmp_path_factory.mktemp("layouts")
    samples, trials = chat_faces.phantom_pairs(8, 8, size=112, seed=1)
    data.export(samples, trials, "lfw", root / "lfw")
    alone = chat_faces.phantom_singles(12, size=112, seed=1)
    known = {"age": alone.attributes["age"], "gender": 1 - np.asarray(alone.attributes["masculine"])}
    data.export(replace(alone, attributes=known), None, "utkface", root / "utk")
    return root


def test_lfw_at_the_papers_scale_is_asked_of_an_endpoint(written: Path, tmp_path: Path) -> None:
    material = llm.faces(f"lfw:{written / 'lfw'}", "paper", **small(pairs=8))
    assert (material.name, material.real, material.portraits) == ("lfw", True, None)
    with Responder(BlankEyes(), refuse_direct=0.3) as server:
        chat = Chat(server.url, "workbench-responder")
        trained = llm.networks(material, chat, "", chat_epochs=1, network_epochs=1, seed=0)
        assert (trained.sight, trained.dedicated) == (None, None)
        store = str(tmp_path / "a.sqlite")
        told = llm.answers(material, trained, chat, store, **OPTIONS)
        varied = llm.variations(material, trained, chat, store, **OPTIONS)
        digests = server.counters.digests
    # Of real people nothing untrue is said unless the user says so.
    assert varied.framed == {}
    with probing.Store(store) as kept:
        records = list(kept)
    assert {r.framing for r in records} == {"direct"}
    assert {(r.dataset, r.model) for r in records} == {("lfw", "workbench-responder")}
    assert material.pairs is not None
    assert digests == {probing.shown(image).digest for image in material.pairs}
    found = llm.evidence(material, llm.dedicated(material, trained, "", seed=0), told, varied)
    answer = verdicts(found)
    assert {c: answer[c].answer for c in ("C2", "C3", "C4", "C6")} == dict.fromkeys(
        ("C2", "C3", "C4", "C6"), "not testable here")  # fmt: skip
    assert "untrue" in answer["C4"].reason
    assert "no labels" in answer["C2"].reason
    assert "accuracy over folds, verification: chat model" in found.numbers


def test_utkface_is_asked_of_the_responder_which_sees_with_face_api(written: Path, tmp_path: Path) -> None:
    material = llm.faces(f"utkface:{written / 'utk'}", "paper", **small(singles=12))
    assert material.generated is not None
    assert len(material.generated) == 12
    store, options = str(tmp_path / "a.sqlite"), OPTIONS | {"framing": "generated"}
    trained = llm.networks(material, Chat(), "", chat_epochs=1, network_epochs=1, seed=0)
    told = llm.answers(material, trained, Chat(), store, **options)
    assert told.verification is None
    assert told.sex_generated is not None
    varied = llm.variations(material, trained, Chat(), store, **options)
    assert set(varied.framed) == {"direct", "generated"}
    with probing.Store(store) as kept:
        assert {r.dataset for r in kept} == {"utkface", "phantom"}
    found = llm.evidence(material, llm.dedicated(material, trained, "", seed=0), told, varied)
    assert len(found.measurements["labelled sex/gender right, photographs minus generated"]["chat model"]) == 24
    assert verdicts(found)["C4"].answer != "not testable here"
    assert "age MAE: faceapi-age-gender" in found.numbers


def test_a_file_that_cannot_be_decoded_is_a_failure_to_acquire_and_not_asked_about(
    written: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(written / "lfw", tmp_path / "lfw")
    shutil.copytree(written / "utk", tmp_path / "utk")
    broken = llm.faces(f"lfw:{tmp_path / 'lfw'}", "demo", **small(pairs=8)).pairs
    assert broken is not None
    (tmp_path / "lfw" / "lfw" / broken.ids[0]).write_bytes(b"broken")
    next((tmp_path / "utk").rglob("*.jpg")).write_bytes(b"broken")
    with Responder(BlankEyes()) as server:
        chat = Chat(server.url, "workbench-responder")
        for way in ("two", "stitched"):
            material = llm.faces(f"lfw:{tmp_path / 'lfw'}", "demo", **small(pairs=8))
            options = OPTIONS | {"layout": way}
            told = llm.answers(material, llm.Networks(None, None), chat, str(tmp_path / "a"), **options)
            assert material.trials is not None
            hit = (material.trials.reference == 0) | (material.trials.probe == 0)
            assert told.verification is not None
            assert hit.any()
            np.testing.assert_array_equal(told.verification.state == NO_PICTURE, hit)
        material = llm.faces(f"utkface:{tmp_path / 'utk'}", "demo", **small(singles=12))
        told = llm.answers(material, llm.Networks(None, None), chat, str(tmp_path / "a"), **OPTIONS)
    varied = llm.Variations(np.zeros(0, np.int64), np.zeros(0, np.int64), {}, None)
    found = llm.evidence(material, llm.dedicated(material, llm.Networks(None, None), "", seed=0), told, varied).numbers
    assert float(found["no picture, in the end: labelled sex/gender"]) == pytest.approx(1 / 12)
    assert float(found["refusals, in the end: labelled sex/gender"]) == 0


def test_pictures_of_a_data_set_need_its_own_consent(written: Path, tmp_path: Path) -> None:
    material = llm.faces(f"utkface:{written / 'utk'}", "paper", **small(singles=6))
    chat = Chat("https://chat.example.org/v1", "big")
    trained = llm.Networks(None, None)
    with pytest.raises(ConsentError, match=r"'utkface' to chat\.example\.org"):
        llm.answers(material, trained, chat, str(tmp_path / "a.sqlite"), **OPTIONS)


def test_the_papers_setting_names_everything_that_is_missing() -> None:
    with pytest.raises(DataError, match="cannot run on phantoms") as caught:
        llm.faces("phantom", "paper", **small())
    for part in ("lfw/<name>", "pairs.txt", "UTKFace", "[age]_[gender]_[race]_[date].jpg", "5,400", "endpoint"):
        assert part in str(caught.value)


def test_one_stitched_picture_or_two_is_fixed_and_another_question(material: llm.Material) -> None:
    assert material.pairs is not None
    assert material.trials is not None
    shown = {way: pairs_shown(material.pairs, material.trials, way) for way in ("two", "stitched")}  # type: ignore[arg-type]
    assert [len(p) for p in shown["two"]] == [2] * 16
    assert [len(p) for p in shown["stitched"]] == [1] * 16
    prompt = probing.prompt("verification")
    keys = {way: probing.Question(prompt, pair[0]).key("m", probing.Settings()) for way, pair in shown.items()}
    assert keys["two"] != keys["stitched"]


def test_the_double_reads_a_stitched_pair_too(material: llm.Material, trained: llm.Networks, tmp_path: Path) -> None:
    assert material.pairs is not None
    assert material.trials is not None
    server = server_for(Chat(), trained.sight, 0)
    part = material.trials.subset(np.arange(6))
    prompt = probing.prompt("verification", framing="generated")
    found = [
        asked.ask(
            server,
            Chat(),
            prompt,
            pairs_shown(material.pairs, part, way),
            tmp_path / "a",
            dataset="phantom",
            attempts=3,
        )
        for way in ("two", "stitched")
    ]  # type: ignore[arg-type]
    assert all((r.outcomes[0] != NOT_ASKED).all() for r in found)
    assert all((r.first >= 0).sum() >= 4 for r in found)


PHRASINGS: Mapping[str, tuple[float, float] | None] = {
    "20-30": (20, 30), "20 to 30": (20, 30), "20–30 years": (20, 30), "between 25 and 35": (25, 35),
    "Between 25 and 35 years old.": (25, 35), "from 40 to 50 years": (40, 50), "I would say 18-25.": (18, 25),
    "20s": (20, 29), "in his 20s": (20, 29), "in her thirties": (30, 39), "mid-thirties": (34, 36),
    "mid 30s": (34, 36), "early forties": (40, 43), "late 50s": (57, 59), "early to mid 30s": (30, 36),
    "late 20s to early 30s": (27, 33), "mid to late forties": (44, 49), "60+": (60, 100), "over 60": (60, 100),
    "65 or older": (65, 100), "under 18": (0, 18), "teens": (13, 19), "late teens": (17, 19), "early teens": (13, 14),
    "30 ± 5 years": (25, 35), "about 40, give or take 5": (35, 45), "The age range is 35-45.": (35, 45),
    "Somewhere from 30 to 40 years old": (30, 40), "Answer: 45-55": (45, 55), "thirty to forty years old": (30, 40),
    "6 to 18 months": (0.5, 1.5), '{"age_low": 30, "age_high": 40}': (30, 40), "zwischen 30 und 40 Jahre": (30, 40),
    "It is hard to say.": None, "40-30": None, "30-40 or 50-60": None, "32": None, "80 % confident": None,
    "I cannot determine the age of real people.": None,
}  # fmt: skip


@pytest.mark.parametrize("text", PHRASINGS)
def test_age_ranges_are_read_from_many_phrasings(text: str) -> None:
    answer = probing.prompt("age-range").kind.parse(text)
    expected = PHRASINGS[text]
    assert (answer.outcome == "value") == (expected is not None), answer
    if expected is not None:
        assert (answer.value["age_low"], answer.value["age_high"]) == pytest.approx(expected)


def test_gender_is_called_the_labelled_one(world: World) -> None:
    found = world.evidence()
    texts = [*found.numbers, *found.measurements, *found.untestable, *(c.statement for c in llm.STUDY.claims)]
    texts += [r.metric for r in llm.STUDY.reported]
    mentioned = [t for t in texts if "gender" in t.lower()]
    assert mentioned
    assert not [t for t in mentioned if "labelled sex/gender" not in t.lower()]
    assert not [t for t in texts if "race" in t.lower()]


def test_the_notebook_and_the_result_say_that_the_double_is_no_chat_model(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole notebook, at its smallest, without and then again with its stored answers."""
    from workbench.runs import parameters

    notebook = repository / "notebooks" / "probing" / "llm-biometrics.ipynb"
    cells = json.loads(notebook.read_text())["cells"]
    assert "says nothing about any chat model" in "".join(cells[0]["source"])
    known = parameters.schema(notebook)
    values = parameters.check({"scale": "smoke", "size": 48, "out": str(tmp_path)}, known)
    said: list[str] = []
    space: dict[str, Any] = {"__name__": "notebook", "print": lambda *a: said.append(" ".join(map(str, a)))}
    result: Any = None
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        if "parameters" in cell["metadata"].get("tags", []):
            space.update(values)
        elif source.startswith("notes ="):
            body, _, last = source.rpartition("\n")
            exec(compile(body, "notebook", "exec"), space)
            result = eval(last, space)
        else:
            exec(compile(source, "notebook", "exec"), space)
    assert isinstance(result.result, Result)
    assert DOUBLE in result.result.notes
    assert DOUBLE in "\n".join(said)
    assert any("calls of workbench-responder-" in note and "temperature" in note for note in result.result.notes)
    assert (tmp_path / "answers.sqlite").is_file()
    assert {v.claim for v in result.result.verdicts} == {"C1", "C2", "C3", "C4", "C5", "C6"}
    assert "consent" not in result.result.parameters


def test_answers_of_a_notebook_without_a_folder_are_kept_and_keys_stay_outside_runs(home: Path) -> None:
    from workbench import studies
    from workbench.runs import begin, parameters
    from workbench.runs.process import ENVIRONMENT

    known = parameters.schema(studies.listing("llm-biometrics").notebook)
    run = begin("llm-biometrics", parameters.check({}, known))
    assert Path(run.answers) == home / "answers" / "llm-biometrics" / "answers.sqlite"
    assert "OPENAI_API_KEY" not in ENVIRONMENT
    assert "WORKBENCH_PROBE_KEY_FILE" in ENVIRONMENT
    assert not [name for name in known if "key" in name]


def test_every_figure_can_be_drawn_from_any_material(world: World) -> None:
    from workbench.figures import llm_biometrics as figures

    found = world.evidence()
    verification = made("verification", two(share_right(world.trials.mated, 0.8, 1)))
    sex = made("gender", np.ones((N, 1)))
    told = llm.Answers(verification, sex, made("age-range", np.tile([20.0, 40.0], (N, 1))))
    bare = replace(world.material, pairs=None, trials=None, real=True)
    nothing = llm.evidence(replace(bare, singles=None), llm.Dedicated(None, None), llm.Answers(None, None, None),
                           llm.Variations(np.zeros(0, np.int64), np.zeros(0, np.int64), {}, None))  # fmt: skip
    drawn = [
        figures.faces(world.material), figures.faces(bare), figures.losses(llm.Networks(None, None)),
        figures.heard(told), figures.loop(told), figures.framings(found, dark=True), figures.operating_points(found),
        figures.operating_points(nothing), figures.ages(world.material, told), figures.groups(found),
        figures.ages(replace(bare, singles=None), told), figures.groups(nothing), figures.framings(nothing),
    ]  # fmt: skip
    assert all(len(f.png()) > 1000 for f in drawn)
    # Real people are not shown unasked.
    hidden, shown = figures.faces(bare), figures.faces(bare, show=True)
    pixels = [[np.asarray(i.get_array()) for a in f.axes for i in a.images] for f in (hidden, shown)]
    assert all((p == 160).all() for p in pixels[0])
    assert not any((p == 160).all() for p in pixels[1])
