"""RELIABILITY A1 for InsightFace's pair files: every honest age is read, nothing else is, and nothing is run."""

from __future__ import annotations

import pickle
from pathlib import Path

import hostile_pairs
import mutations
import numpy as np
import pytest

from workbench import files
from workbench.core import DataError, StoreError

# All byte values, quotes, backslashes and line ends among them.
PICTURES = [bytes(range(256)), b"\x89PNG'\\\n\"", b"\xff\xd8\xff", b"\x00"]
MATED = [True, False]
HONEST = hostile_pairs.honest(PICTURES, MATED)


@pytest.mark.parametrize("kind", HONEST)
def test_files_of_every_age_are_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.bin").write_bytes(HONEST[kind])
    found = files.read_pair_pickle(tmp_path / "a.bin")
    assert list(found.pictures) == PICTURES
    assert found.mated.dtype == np.bool_
    assert found.mated.tolist() == MATED
    assert found.digest == files.sha256_bytes(HONEST[kind])


def test_hand_made_old_files_are_what_python_reads_too() -> None:
    for kind in ("python 2, protocol 0", "python 2, protocol 2", "python 2, cv2.imencode"):
        pictures, mated = pickle.loads(HONEST[kind], encoding="latin1")
        raw = [p.encode("latin1") if isinstance(p, str) else p.tobytes() for p in pictures]
        assert (raw, mated) == (PICTURES, MATED)


def test_our_own_files_are_what_insightface_reads(tmp_path: Path) -> None:
    data = files.pair_pickle(PICTURES, MATED)
    # Its `load_bin` calls the first of these and, where text cannot be decoded, the second.
    assert pickle.loads(data) == pickle.loads(data, encoding="bytes") == (PICTURES, MATED)
    assert b"encode" not in data
    (tmp_path / "a.bin").write_bytes(data)
    assert list(files.read_pair_pickle(tmp_path / "a.bin").pictures) == PICTURES


def test_code_is_refused_and_never_run(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    corpus = hostile_pairs.coded(flag)
    for kind, data in corpus.items():
        (tmp_path / "a.bin").write_bytes(data)
        with pytest.raises(DataError, match="there is no fallback that would") as caught:
            files.read_pair_pickle(tmp_path / "a.bin")
        assert "asks for more than pictures and bools" in caught.value.what, kind
        assert "workbench.data.export" in (caught.value.do or "")
        assert not flag.exists(), kind
    # Each of the corpus is live: it runs where somebody lets it.
    for kind, data in corpus.items():
        pickle.loads(data)
        assert flag.exists(), kind
        flag.unlink()


def test_the_refusal_names_what_the_file_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"cos\nsystem\n(Vtrue\ntR.")
    with pytest.raises(DataError, match=r"a\.bin was refused: it asks for more .*\n  given: os system"):
        files.read_pair_pickle(tmp_path / "a.bin")


@pytest.mark.parametrize("kind", hostile_pairs.damaged(HONEST["python 3, protocol 4"]))
def test_damage_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.bin").write_bytes(hostile_pairs.damaged(HONEST["python 3, protocol 4"])[kind])
    with pytest.raises(DataError, match=r"a\.bin was refused"):
        files.read_pair_pickle(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cut", "it ends too early"),
        ("giant bytes", "it ends too early"),
        ("encoded again", "unpacks to more than its size"),
        ("shape", "shape does not fit"),
        ("floats", "arrays of other kinds than uint8 and bool\n  given: f4"),
        ("three parts", "not a pair of two lists\n  given: tuple of 3"),
        ("odd", "pictures and labels do not fit\n  given: 3 pictures, 1 labels"),
        ("label 2", "labels are no list of bools"),
        ("text picture", "picture 0 is none\n  given: str"),
    ],
)
def test_the_message_says_what_is_wrong(tmp_path: Path, kind: str, said: str) -> None:
    (tmp_path / "a.bin").write_bytes(hostile_pairs.damaged(HONEST["python 3, protocol 4"])[kind])
    with pytest.raises(DataError, match=said):
        files.read_pair_pickle(tmp_path / "a.bin")


def test_limits_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(files.pair_pickle([b"x"] * 8, [True] * 4))
    assert len(files.read_pair_pickle(tmp_path / "a.bin", limits=files.PairLimits(pictures=8)).pictures) == 8
    with pytest.raises(DataError, match="more than 6 pictures"):
        files.read_pair_pickle(tmp_path / "a.bin", limits=files.PairLimits(pictures=6))
    with pytest.raises(StoreError, match="too large"):
        files.read_pair_pickle(tmp_path / "a.bin", limits=files.PairLimits(bytes=20))
    (tmp_path / "a.bin").write_bytes(b"]" * 1000)
    with pytest.raises(DataError, match="too many parts\n  given: over 640 operations"):
        files.read_pair_pickle(tmp_path / "a.bin", limits=files.PairLimits(pictures=10))


def test_damage_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    """A few thousand of each age, hurt by a named seed: an answer or a named refusal, and no third way."""
    rng = np.random.default_rng(7)
    counts = {"read": 0, "refused": 0}
    for data in [*HONEST.values()] * 60:
        (tmp_path / "a.bin").write_bytes(mutations.mutated(data, rng))
        try:
            found = files.read_pair_pickle(tmp_path / "a.bin")
            assert len(found.pictures) == 2 * len(found.mated) > 0
            assert all(isinstance(p, bytes) for p in found.pictures)
            counts["read"] += 1
        except DataError:
            counts["refused"] += 1
    assert counts["read"] > 100
    assert counts["refused"] > 1000
