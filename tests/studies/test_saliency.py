"""The study on a user's own folder: no truth about parts, and failures to acquire are counted."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.claims import judge
from workbench.data import phantom
from workbench.studies import saliency


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    samples = phantom.faces(12, 2, size=160, subset="test", vary=("light",))
    for image, subject, name in zip(samples, samples.subjects, samples.ids, strict=True):
        (root / subject).mkdir(exist_ok=True)
        Image.fromarray(image).save(root / subject / f"{Path(name).name}.png")
    (root / "test-0000" / "000.png").write_bytes(b"broken")
    return root


def test_a_folder_of_ones_own_gives_pairs_and_counts_failures(folder: Path) -> None:
    material = saliency.faces(f"folder:{folder}", "", identities=4, pairs=30, seed=0)
    assert material.swapped is None
    assert len(material.train) == 0
    assert material.failures >= 1
    people = [set(p.subjects.ravel().tolist()) for p in (material.validation, material.test)]
    assert not people[0] & people[1]
    assert material.test.reference.shape[1:] == (150, 150, 3)


def test_what_needs_the_truth_says_so_on_photographs() -> None:
    claims = [c for c in saliency.STUDY.claims if c.id in ("C4", "C5")]
    from workbench.core import Evidence

    names = ("mass ratio in the changed part", "pointing at the changed part", "similarity mass in the hidden part")
    verdicts = judge(claims, Evidence(untestable=dict.fromkeys(names, saliency._OURS)))
    assert [v.answer for v in verdicts] == ["not testable here"] * 2
    assert "real photographs do not tell" in verdicts[0].reason


def test_the_splits_of_phantoms_share_nobody_and_swaps_have_their_masks() -> None:
    material = saliency.faces("phantom", "", identities=4, pairs=8, seed=0)
    assert material.swapped is not None
    assert set(material.swapped.parts) == set(phantom.PART_MODES)
    changed = np.abs(material.swapped.pairs.reference.astype(int) - material.swapped.pairs.probe).max(3)
    for picture, mask in zip(changed, material.swapped.masks, strict=True):
        # Outside the part only shading and its soft border may move a little.
        assert picture[mask].mean() > 5 * picture[~mask].mean()
