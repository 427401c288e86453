"""Layouts of labels: UTKFace, FairFace, CASIA-SURF and DeepfakeBench, in both directions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import data
from workbench.core import DataError, ParameterError, Samples
from workbench.data import casia_surf, deepfakebench, fairface, utkface
from workbench.metrics.forgery import video_keys


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), value, np.uint8)).save(path, format="PNG")


def test_utkface_labels_come_back(faces: Samples, tmp_path: Path) -> None:
    samples = data.open_dataset(data.export(faces, None, "utkface", tmp_path / "out")).samples()
    # The last part of a name counts the pictures; names sort by age as text, so the order is another.
    order = np.argsort([name.split("_")[3] for name in samples.ids])
    assert samples.subset(order).ids[3] == "116_1_3_20000101000000003.jpg"
    for key in ("age", "gender", "race"):
        assert samples.attributes[key][order].tolist() == faces.attributes[key].tolist()
    for i, image in zip(order, faces.images, strict=True):
        assert np.array_equal(samples.images[int(i)], image)
    assert len(set(samples.subjects)) == len(faces)


def test_race_is_not_made_up(faces: Samples, tmp_path: Path) -> None:
    kept = {k: v for k, v in faces.attributes.items() if k != "race"}
    assert "melanin" in kept
    spec = data.export(replace(faces, attributes=kept), None, "utkface", tmp_path / "out")
    assert set(data.open_dataset(spec).samples().attributes["race"]) == {4}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("age", 117, "age 117 is not from 0 to 116"), ("age", -1, "age -1"), ("gender", 2, "gender 2 is none of 0, 1"),
     ("race", 5, "race 5 is none of 0 to 4"), ("age", 3.5, "no whole numbers")],
)  # fmt: skip
def test_labels_that_utkface_cannot_hold(faces: Samples, tmp_path: Path, key: str, value: float, said: str) -> None:
    wrong = np.array([*faces.attributes[key][:-1], value])
    samples = replace(faces, attributes=dict(faces.attributes) | {key: wrong})
    with pytest.raises(DataError, match=f"sample 'train-0003/001' cannot be named as in UTKFace\n.*{said}"):
        data.export(samples, None, "utkface", tmp_path / "out")


def test_misnamed_utkface_pictures_are_listed(tmp_path: Path) -> None:
    good = ["26_1_3_20170117175041574.jpg.chip.jpg", "part1/1_0_2_20161219140530307.jpg", "5_0_4_20161219140530308.png"]
    bad = {
        "61_1_20170109142408075.jpg.chip.jpg": "not named",
        "24_0_1_20170116220224657 .jpg.chip.jpg": "not named",
        "55_0_0_20170116232725357jpg.chip.jpg": "not named",
        "part1/53__0_20170116184028385.jpg": "not named",
        "200_1_0_20170117175041574.jpg": "age 200",
        "20_3_0_20170117175041574.jpg": "gender 3",
        "20_1_7_20170117175041574.jpg": "race 7",
    }
    for name in [*good, *bad]:
        picture(tmp_path / name)
    (tmp_path / "readme.txt").write_text("no picture")
    opened = utkface.open(str(tmp_path))
    assert sorted(opened.samples().ids) == sorted(good)
    assert {name: reason.split(" is")[0] for name, reason in opened.refused if "not named" not in reason} == {
        name: reason for name, reason in bad.items() if reason != "not named"
    }
    assert {name for name, _ in opened.refused} == set(bad)
    for name in good:
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"holds no UTKFace pictures\n  given: 7 pictures with other names, e\.g\. '"):
        utkface.open(str(tmp_path))


def test_utkface_cannot_lead_out(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere.jpg")
    (tmp_path / "utk").mkdir()
    (tmp_path / "utk" / "26_1_3_20170117175041574.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    with pytest.raises(DataError, match="leads out"):
        utkface.open(str(tmp_path / "utk"))


def test_fairface_labels_come_back_as_its_groups(faces: Samples, tmp_path: Path) -> None:
    ages = np.array([0, 2, 3, 9.5, 10, 29, 69, 70, 116][: len(faces)])
    ages = np.resize(ages, len(faces))
    samples = replace(faces, attributes=dict(faces.attributes) | {"age": ages})
    opened = data.open_dataset(data.export(samples, None, "fairface", tmp_path / "out"))
    # Group by group, as a person reads the paper's table.
    groups = {0: "0-2", 2: "0-2", 3: "3-9", 9.5: "3-9", 10: "10-19", 29: "20-29", 69: "60-69", 70: "more than 70",
              116: "more than 70"}  # fmt: skip
    seen = 0
    for protocol, every in (("val", [i for i in range(len(faces)) if i % 4 == 0]),
                            ("train", [i for i in range(len(faces)) if i % 4])):  # fmt: skip
        read = opened.samples(protocol)
        assert read.ids == tuple(f"{protocol}/{k + 1}.jpg" for k in range(len(every)))
        for k, i in enumerate(every):
            assert np.array_equal(read.images[k], faces.images[i])
            assert fairface.AGES[read.attributes["age"][k]] == groups[float(ages[i])]
            assert read.attributes["gender"][k] == faces.attributes["gender"][i]
            assert read.attributes["race"][k] == faces.attributes["race"][i]
            seen += 1
    assert seen == len(faces) == len(opened.samples())
    assert (tmp_path / "out" / "fairface_label_val.csv").read_text().splitlines()[
        0
    ] == "file,age,gender,race,service_test"


def test_fairface_does_not_take_skin_colour_for_race(faces: Samples, tmp_path: Path) -> None:
    kept = {k: v for k, v in faces.attributes.items() if k != "race"}
    assert "melanin" in kept
    with pytest.raises(DataError, match="FairFace needs the attribute 'race'"):
        data.export(replace(faces, attributes=kept), None, "fairface", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("age", 121, "age 121"), ("age", -1, "age -1"), ("gender", 2, "gender 2"), ("race", 7, "race 7"),
     ("race", 1.5, "race 1.5"), ("service_test", 3, "service_test 3")],
)  # fmt: skip
def test_labels_that_fairface_cannot_hold(faces: Samples, tmp_path: Path, key: str, value: float, said: str) -> None:
    before = faces.attributes.get(key, np.zeros(len(faces)))
    samples = replace(faces, attributes=dict(faces.attributes) | {key: np.array([*before[:-1], value])})
    with pytest.raises(DataError, match=f"cannot be listed as in FairFace\n  given: {said}"):
        data.export(samples, None, "fairface", tmp_path / "out")
    with pytest.raises(DataError, match="a training and a validation part"):
        fairface.write(faces.subset(np.array([0])), None, tmp_path / "one")


HEAD = "file,age,gender,race,service_test\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("file,age,gender,race\nval/1.jpg,3-9,Male,White\n", "has other columns"),
        (HEAD, "names no pictures"),
        (HEAD + "val/1.jpg,31,Male,White,True\n", "line 2: age is none of FairFace's"),
        (HEAD + "val/1.jpg,3-9,Other,White,True\n", "gender is none of FairFace's"),
        (HEAD + "val/1.jpg,3-9,Male,Asian,True\n", "race is none of FairFace's"),
        (HEAD + "val/1.jpg,3-9,Male,White,1\n", "service_test"),
        (HEAD + "val/2.jpg,3-9,Male,White,True\n", "there is no such picture"),
        (HEAD + "../1.jpg,3-9,Male,White,True\n", "leads out"),
        (HEAD + 2 * "val/1.jpg,3-9,Male,White,True\n", "names a picture twice"),
    ],
)
def test_fairface_lists_that_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    picture(tmp_path / "train" / "1.jpg")
    picture(tmp_path / "val" / "1.jpg")
    good = HEAD + "train/1.jpg,more than 70,Female,Latino_Hispanic,False\n"
    (tmp_path / "fairface_label_train.csv").write_text(good)
    with pytest.raises(DataError, match=r"holds no fairface_label_val\.csv"):
        fairface.open(str(tmp_path))
    (tmp_path / "fairface_label_val.csv").write_text(HEAD + "val/1.jpg,3-9,Male,East Asian,True\n")
    read = fairface.open(str(tmp_path)).samples()
    assert {k: v.tolist() for k, v in read.attributes.items()} == {
        "age": [8, 1], "gender": [1, 0], "race": [3, 1], "service_test": [0, 1],
    }  # fmt: skip
    (tmp_path / "fairface_label_val.csv").write_text(rows)
    with pytest.raises(DataError, match=said):
        fairface.open(str(tmp_path))


def test_real_utkface_is_read_whole(shared: Path) -> None:
    folder = shared / "data" / "utkface"
    opened = data.open_dataset(f"utkface:{folder}")
    samples = opened.samples()
    names = [p.name for p in folder.iterdir() if p.suffix == ".jpg"]
    assert len(samples) + len(opened.refused) == len(names)
    for k, key in enumerate(("age", "gender", "race")):
        assert Counter(samples.attributes[key].tolist()) == Counter(int(n.split("_")[k]) for n in names)
    assert samples.images[0].shape == (200, 200, 3)


def surf(faces: Samples, folder: Path, **options: object) -> casia_surf.CasiaSurf:
    depth, ir = [255 - p[..., 1] for p in faces], [p[..., 0] for p in faces]
    return data.open_dataset(data.export(faces, None, "casia-surf", folder, depth=depth, ir=ir, **options))


def test_casia_surf_has_three_modalities_in_one_order(faces: Samples, tmp_path: Path) -> None:
    opened = surf(faces, tmp_path / "out")
    colour = opened.samples()
    assert colour.subjects.tolist() == faces.subjects.tolist()
    assert colour.attributes["attack"].tolist() == faces.attributes["attack"].tolist()
    for modality, channel in (("depth", lambda p: 255 - p[..., 1]), ("ir", lambda p: p[..., 0])):
        seen = opened.samples("train", modality=modality)
        assert (seen.ids, seen.digest) == (colour.ids, colour.digest)
        for image, shown in zip(seen, faces, strict=True):
            assert np.array_equal(image, np.repeat(channel(shown)[..., None], 3, axis=2))
        files_there = [tmp_path / "out" / name for name in colour.attributes[f"{modality}_file"]]
        assert all(f.is_file() for f in files_there)
    for image, shown in zip(colour, faces, strict=True):
        assert np.array_equal(image, shown)
    with pytest.raises(ParameterError, match="unknown modality\n  given: nir\n  expected: rgb, depth, ir"):
        opened.samples(modality="nir")


def test_casia_surf_is_written_as_published(faces: Samples, tmp_path: Path) -> None:
    species = replace(faces, attributes=dict(faces.attributes) | {"species": np.array(["04_en_b"] * 8)})
    opened = surf(species, tmp_path / "out", encoding="jpeg", protocol="val-private")
    real, fake = "Training/real_part/train-0000/real.rssdk", "Training/fake_part/train-0000/04_en_b.rssdk"
    assert (tmp_path / "out" / "val_private_list.txt").read_text().splitlines()[:2] == [
        f"{real}/color/1.jpg {real}/depth/1.jpg {real}/ir/1.jpg 1",
        f"{fake}/color/1.jpg {fake}/depth/1.jpg {fake}/ir/1.jpg 0",
    ]
    assert opened.protocols == ("val-private",)
    assert opened.samples().attributes["species"].tolist() == ["", "04_en_b"] * 4


def test_casia_surf_takes_depth_and_infrared_from_attributes(faces: Samples, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"CASIA-SURF needs the attribute 'depth'(.|\n)*or the option depth"):
        data.export(faces, None, "casia-surf", tmp_path / "a")
    grey = np.asarray(faces.images)[..., 1]
    whole = replace(faces, attributes=dict(faces.attributes) | {"depth": grey, "nir": grey})
    opened = data.open_dataset(data.export(whole, None, "casia-surf", tmp_path / "b"))
    assert np.array_equal(opened.samples(modality="ir").images[5][..., 0], grey[5])
    with pytest.raises(DataError, match=r"a picture cannot be written\n  given: float32(.|\n)*scale it to 0-255"):
        data.export(whole, None, "casia-surf", tmp_path / "c", depth=grey.astype(np.float32))
    with pytest.raises(DataError, match="ir has another length than the samples\n  given: 7\n  expected: 8"):
        data.export(whole, None, "casia-surf", tmp_path / "c", ir=grey[:7])
    numbers = replace(whole, attributes=dict(whole.attributes) | {"attack": np.arange(8)})
    with pytest.raises(DataError, match="'attack' is no truth value\n  given: int64"):
        data.export(numbers, None, "casia-surf", tmp_path / "c")


def val(folder: Path, lines: list[str], name: str = "val_private_list.txt") -> Path:
    for part in "abc":
        picture(folder / "Val" / "0000" / f"000000-{part}.jpg")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


LINE = "Val/0000/000000-a.jpg Val/0000/000000-b.jpg Val/0000/000000-c.jpg"


def test_casia_surf_lists_without_labels_are_known(tmp_path: Path) -> None:
    val(tmp_path, [LINE], "val_public_list.txt")
    with pytest.raises(DataError, match="no list with labels\n  given: lists without labels: val-public"):
        casia_surf.open(str(tmp_path))
    opened = casia_surf.open(str(val(tmp_path, [f"{LINE} 1"])))
    assert opened.protocols == ("val-private",)
    assert opened.samples().subjects.tolist() == ["Val/0000/000000-a.jpg"]
    assert opened.samples().attributes["attack"].tolist() == [False]
    with pytest.raises(ParameterError, match=r"'val-public' has no labels\n  given: val_public_list\.txt"):
        opened.samples("val-public")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"{LINE} 1", f"{LINE} 2"], r"val_private_list\.txt, line 2 is no presentation"),
        ([f"{LINE} 1", LINE], "line 2 is no presentation"),
        ([f"{LINE} 1", "", f"{LINE} 0"], "line 3 lists a picture again"),
        ([f"{LINE.replace('-c', '-d')} 1"], r"names 1 pictures that are not there\n  given: Val/0000/000000-d\.jpg"),
        ([f"{LINE.replace('Val/0000/000000-b', '../../secret')} 1"], "leads out"),
        ([f"{LINE.replace('Val/0000/000000-b', '/etc/secret')} 1"], "leads out"),
    ],
)
def test_a_broken_casia_surf_list_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    opened = casia_surf.open(str(val(tmp_path, lines)))
    with pytest.raises(DataError, match=said):
        opened.samples()
    with pytest.raises(DataError, match=said):
        opened.digest  # noqa: B018


def test_deepfakebench_labels_come_back(faces: Samples, tmp_path: Path) -> None:
    attack = np.repeat([False, True], 4)
    said = {
        "attack": attack,
        "label": np.where(attack, "FF-DF", "FF-real"),
        "method": np.where(attack, "FF-DF", "FF-real"),
        "split": np.array(["test", "test", "train", "train"] * 2),
        "compression": np.full(8, "c23"),
        "video": np.array(["000", "000", "001", "001", "000_003", "000_003", "001_870", "001_870"]),
    }
    spec = data.export(replace(faces, attributes=said), None, "deepfakebench", tmp_path / "out", dataset="FF-DF")
    written = json.loads((tmp_path / "out" / "FF-DF.json").read_text())
    assert written["FF-DF"]["FF-DF"]["test"]["c23"]["000_003"] == {
        "label": "FF-DF",
        "frames": [f"FF-DF/FF-DF/test/c23/frames/000_003/{i:03d}.png" for i in (0, 1)],
    }
    opened = data.open_dataset(spec)
    assert opened.protocols == ("test-c23", "train-c23")
    for split, which in (("test-c23", [0, 1, 4, 5]), ("train-c23", [2, 3, 6, 7])):
        samples = opened.samples(split)
        for key in ("attack", "label", "method", "split", "compression"):
            assert samples.attributes[key].tolist() == said[key][which].tolist()
        assert [v.rpartition("/")[2] for v in samples.attributes["video"]] == said["video"][which].tolist()
        assert samples.attributes["video"].tolist() == video_keys(samples.ids).tolist()
        for image, i in zip(samples, which, strict=True):
            assert np.array_equal(image, faces.images[i])
    # And once more, from what was read: paths of videos become names again.
    again = data.open_dataset(data.export(opened.samples("test-c23"), None, "deepfakebench", tmp_path / "again"))
    assert again.samples().attributes["label"].tolist() == said["label"][[0, 1, 4, 5]].tolist()
    assert len(set(again.samples().attributes["video"])) == 2


def made(folder: Path, content: object, name: str = "FF.json") -> str:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return str(folder / name)


def video(label: str, *frames: str) -> dict[str, object]:
    return {"label": label, "frames": list(frames), "masks": ["/not/read"]}


def test_videos_of_one_name_stay_apart(tmp_path: Path) -> None:
    """The four manipulations of a FaceForensics++ pair have one folder name; the last folder alone would merge them."""
    methods = {"FF-DF": "Deepfakes", "FF-F2F": "Face2Face", "FF-FS": "FaceSwap", "FF-NT": "NeuralTextures"}
    content: dict[str, object] = {}
    for method, folder in methods.items():
        frame = f"{folder}/c23/frames/000_003/000.png"
        picture(tmp_path / frame)
        content[method] = {"train": {}, "test": {"c23": {"000_003": video(method, frame)}, "c40": {}}}
    samples = deepfakebench.open(made(tmp_path, {"FaceForensics++": content})).samples()
    assert len(set(samples.attributes["video"])) == len(set(samples.subjects)) == 4
    assert set(video_keys(samples.ids, key="parent")) == {"000_003"}
    assert samples.attributes["compression"].tolist() == ["c23"] * 4


def test_frames_by_the_paths_of_another_machine(tmp_path: Path) -> None:
    picture(tmp_path / "frames" / "real" / "v" / "000.png")
    (tmp_path / "json").mkdir()
    for written, prefix in (
        ("/elsewhere/sets/real/v/000.png", "/elsewhere/sets"),
        ("D:\\sets\\real\\v\\000.png", "D:\\sets"),
        ("./real/v/000.png", ""),
    ):
        path = made(tmp_path / "json", {"UADFV": {"UADFV_Real": {"test": {"v": video("UADFV_Real", written)}}}})
        opened = deepfakebench.open(path, frames=str(tmp_path / "frames"), prefix=prefix)
        assert opened.samples().ids == ("real/v/000.png",)
        if prefix:
            with pytest.raises(DataError, match=r"paths of another machine\n(.|\n)*prefix=\.\.\."):
                deepfakebench.open(path, frames=str(tmp_path / "frames")).samples()


def one(entry: object, split: str = "test") -> dict[str, object]:
    return {"UADFV": {"UADFV_Real": {split: entry}}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON that can be read"),
        ("[" * 100_000, "is no JSON that can be read"),
        ("[]", r"is not laid out as DeepfakeBench's files\n  given: top: list"),
        ('{"UADFV": {"UADFV_Real": 3}}', r"not laid out(.|\n)*given: UADFV/UADFV_Real: int"),
        ("{}", "holds no videos"),
        (one({}), "holds no videos"),
        ('{"UADFV": {"UADFV_Real": {"test": {"v": {}, "v": {}}}}}', "the name 'v' stands twice in one object"),
        # As `rearrange.py` writes the validation part of DFDC: one video where the videos should be.
        (one(video("UADFV_Real", "v/0.png")), r"an entry is no video\n  given: UADFV/UADFV_Real/test/label: str"),
        (one({"v": video("UADFV_Real", "v/0.png"), "w": {"label": "UADFV_Real"}}), "no video\n.*test/w: dict"),
        (one({"v": {"label": "UADFV_Real", "frames": [3]}}), "an entry is no video"),
        (one({"v": video("UADFV_Reel", "v/0.png")}), "unknown label 'UADFV_Reel'(.|\n)*did you mean UADFV_Real"),
        (one({"v": video("UADFV_Real", "v/0.png", "v/0.png")}), "the frames of a video do not fit"),
        (one({"v": video("UADFV_Real", "v/0.png", "w/0.png")}), "do not fit\n  given: .* 2 frames in v, w"),
        (one({"v": video("UADFV_Real", "v/0.png"), "w": video("UADFV_Real", "v/1.png")}), "two videos have their"),
        (one({"v": video("UADFV_Real", "v/9.png")}), r"names 1 pictures that are not there\n  given: v/9\.png"),
        (one({"v": video("UADFV_Real", "../secret/0.png")}), "leads out"),
        (one({"v": video("UADFV_Real")}), "no video of test has frames"),
    ],
)  # fmt: skip
def test_a_broken_deepfakebench_file_is_refused(tmp_path: Path, content: object, said: str) -> None:
    for frame in ("v/0.png", "v/1.png", "w/0.png"):
        picture(tmp_path / frame)
    with pytest.raises(DataError, match=said):
        deepfakebench.open(made(tmp_path, content)).samples()


def test_a_digest_reads_nothing_outside(tmp_path: Path) -> None:
    picture(tmp_path / "secret" / "0.png")
    (tmp_path / "set").mkdir()
    path = made(tmp_path / "set", one({"v": video("UADFV_Real", "../secret/0.png")}))
    with pytest.raises(DataError, match="leads out"):
        deepfakebench.open(path).digest  # noqa: B018


def test_one_broken_split_leaves_the_others(tmp_path: Path) -> None:
    picture(tmp_path / "v" / "0.png")
    entry = video("DFDC_Fake", "v/0.png")
    opened = deepfakebench.open(made(tmp_path, {"DFDC": {"DFDC_Fake": {"val": entry, "test": {"v": entry}}}}))
    assert opened.protocols == ("test", "val")
    assert opened.samples("test").attributes["attack"].tolist() == [True]
    with pytest.raises(DataError, match="an entry is no video"):
        opened.samples("val")


def test_labels_of_ones_own(tmp_path: Path) -> None:
    picture(tmp_path / "v" / "0.png")
    path = made(tmp_path, one({"v": video("mine", "v/0.png"), "empty": video("UADFV_Real")}))
    opened = deepfakebench.open(path, labels={"mine": True})
    assert opened.samples().attributes["attack"].tolist() == [True]
    assert [(v.name, len(v.frames)) for v in opened.videos()] == [("v", 1), ("empty", 0)]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("label", "FF-DF", "has a label that does not fit\n  given: FF-DF, attack=False"),
        ("label", "mine", "has a label that does not fit\n  given: mine"),
        ("split", "te/st", "this cannot be a name in DeepfakeBench"),
        ("attack", 3, "'attack' is no truth value"),
    ],
)
def test_what_deepfakebench_cannot_hold(faces: Samples, tmp_path: Path, key: str, value: object, said: str) -> None:
    samples = replace(faces, attributes=dict(faces.attributes) | {key: np.array([value] * len(faces))})
    with pytest.raises(DataError, match=said):
        data.export(samples, None, "deepfakebench", tmp_path / "out")


def test_two_videos_never_become_one(faces: Samples, tmp_path: Path) -> None:
    keys = np.array(["a/v", "b/v"] * 4)
    said = {"attack": np.zeros(8, bool), "video": keys}
    with pytest.raises(DataError, match="two videos would become one\n  given: a/v and b/v"):
        data.export(replace(faces, attributes=said), None, "deepfakebench", tmp_path / "out")
