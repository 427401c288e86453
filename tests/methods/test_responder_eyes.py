"""Real eyes on phantom faces; seeds were fixed before anyone looked."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest

from workbench import models
from workbench.core import DigestError, ParameterError, WeightsError
from workbench.data import phantom
from workbench.files import encode_png, read_image
from workbench.methods.responder_eyes import ModelEyes, mouth_open
from workbench.models import tfjs
from workbench.probing.responder import Responder, cosine

PEOPLE, IMAGES, SEED = 6, 2, 4711


@pytest.fixture(scope="module")
def eyes() -> ModelEyes:
    return ModelEyes(device="cpu")


@pytest.fixture(scope="module")
def pictures() -> Any:
    return phantom.faces(PEOPLE, IMAGES, size=224, seed=SEED, subset="test")


def test_mated_pairs_are_more_often_the_same(eyes: ModelEyes, pictures: Any) -> None:
    found = eyes.look(list(pictures.images))
    assert [len(f) for f in found] == [1] * (PEOPLE * IMAGES)
    vectors = [f[0].embedding for f in found]
    assert all(v is not None and abs(np.linalg.norm(v) - 1) < 1e-4 for v in vectors)
    same: dict[bool, list[bool]] = {True: [], False: []}
    for i in range(len(vectors)):
        for j in range(i):
            mated = pictures.subjects[i] == pictures.subjects[j]
            same[bool(mated)].append(cosine(vectors[i], vectors[j]) >= eyes.match_threshold)
    assert np.mean(same[True]) > np.mean(same[False]) + 0.3


def test_what_is_read_is_in_range_and_follows_the_truth(eyes: ModelEyes) -> None:
    scene, _ = phantom.scenes(10, 1, seed=SEED, vary=(), subset="test")
    scene = scene.replace(gender=np.repeat([-1.0, 1.0], 5), age=np.tile([20.0, 30, 45, 60, 75], 2))
    faces = [f[0] for f in eyes.look(list(phantom.render(scene, 224).rgb))]
    assert np.corrcoef([f.age for f in faces], scene.age)[0, 1] > 0.3
    truth = np.asarray(scene.gender)
    assert abs(np.mean([f.gender for f in faces[:5]]) - np.mean([f.gender for f in faces[5:]])) > 0.1, truth
    for f in faces:
        assert set(f.expression or {}) == set(models.EXPRESSIONS)
        assert sum((f.expression or {}).values()) == pytest.approx(1, abs=1e-4)
        assert 0 <= (f.attack or 0) <= 1
        assert set(f.attributes) == {"mouth open", "smiling"}


def test_attacks_look_more_like_attacks(eyes: ModelEyes) -> None:
    scene, _ = phantom.scenes(3, 1, seed=SEED, subset="test")
    live, printed = (phantom.present(scene, kind, size=112).rgb for kind in (phantom.LIVE, next(iter(phantom.SPECIES))))
    shares = np.array([f[0].attack if f else np.nan for f in eyes.look([*live, *printed])], np.float64)
    # The detector does not find every printed face; without a face there is nobody to speak about.
    assert np.isfinite(shares[:3]).all()
    assert np.isfinite(shares[3:]).any()
    assert np.nanmean(shares[3:]) > np.nanmean(shares[:3]) + 0.2


def test_the_users_attack_detector_judges_photographs(shared: Path, home: Path) -> None:
    weights = sorted((shared / "models").glob("*MiniFASNet*.pth"))
    samples = [shared / "data" / "antispoof-samples" / f"image_{n}.jpg" for n in ("T1", "F1", "F2")]
    if len(weights) != 2 or not all(p.is_file() for p in samples):
        pytest.skip("no samples of Silent-Face-Anti-Spoofing, or not its weights")
    (home / "models").mkdir()
    for file in weights:
        (home / "models" / file.name).write_bytes(file.read_bytes())
    found = ModelEyes(device="cpu").look([read_image(p) for p in samples])
    assert [(f[0].attack or 0) > 0.5 for f in found] == [False, True, True]


def test_two_faces_and_none(eyes: ModelEyes, pictures: Any) -> None:
    both = np.concatenate([pictures.images[0], pictures.images[IMAGES]], axis=1)
    two, none = eyes.look([both, np.full((224, 224, 3), 90, np.uint8)])
    assert len(two) == 2
    assert none == []
    assert {f.centre < 224 for f in two} == {True, False}


def test_pictures_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    eyes = ModelEyes(device="cpu", remembered=2)
    looked: list[int] = []
    monkeypatch.setattr(eyes, "_see", lambda new: looked.append(len(new)) or [[] for _ in new])
    a, b, c = (np.full((8, 8, 3), v, np.uint8) for v in (1, 2, 3))
    eyes.look([a, b, a])
    eyes.look([a])
    eyes.look([c])
    eyes.look([a])
    eyes.look([b])
    # c pushes b out, since a was looked at later.
    assert looked == [2, 1, 1]
    assert len(eyes.look([a, b, c])) == 3
    eyes.look([a.reshape(4, 16, 3)])
    assert looked[-1] == 1


def test_an_open_mouth_by_hand() -> None:
    points = np.zeros((68, 2), np.float32)
    points[60], points[64] = (0, 0), (10, 0)
    for gap, wide in ((2.4, False), (2.6, True)):
        for n, at in ((61, 2), (62, 5), (63, 8), (67, 2), (66, 5), (65, 8)):
            points[n] = (at, -gap / 2 if n < 64 else gap / 2)
        assert mouth_open(points) is wide


def test_without_weights_the_error_says_what_is_missing(
    eyes: ModelEyes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = [name for name in vars(tfjs) if isinstance(getattr(tfjs, name), Path)]
    for name in folder:
        monkeypatch.setattr(tfjs, name, tmp_path)
    blind = ModelEyes(device="cpu")
    with pytest.raises((WeightsError, DigestError), match=r"ssd_mobilenetv1_model|face-api"):
        blind.look([np.zeros((32, 32, 3), np.uint8)])


def test_a_model_without_a_threshold_needs_one() -> None:
    with pytest.raises(ParameterError, match=r"no threshold for FMR 0\.01"):
        ModelEyes(model="phantom-recogniser-64")
    assert ModelEyes(model="phantom-recogniser-64", threshold=0.4).match_threshold == 0.4


def test_the_responder_answers_with_real_eyes(eyes: ModelEyes, pictures: Any) -> None:
    def part(image: Any) -> dict[str, Any]:
        data = base64.b64encode(encode_png(image)).decode()
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}

    with Responder(eyes) as r:
        content = [{"type": "text", "text": "Same person?"}, part(pictures.images[0]), part(pictures.images[0])]
        body = {"model": "m", "messages": [{"role": "user", "content": content}], "response_format": {
            "type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {
                "same_person": {"type": "boolean"}, "similarity": {"type": "integer"}}}}}}  # fmt: skip
        answer = httpx.post(f"{r.url}/chat/completions", json=body, timeout=60).json()
        assert answer["choices"][0]["message"]["content"] == '{"same_person": true, "similarity": 95}'
