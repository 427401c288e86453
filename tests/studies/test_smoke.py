"""Every study's notebook from its first cell to its last, at the smallest scale: what tests of single steps miss."""

import pytest

from workbench import studies
from workbench.cli import main
from workbench.runs.index import board


def test_all_studies_run_whole_and_answer_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    # 3: done, and a claim was refuted; so few people may do that.
    assert main(["run", *studies.names(), "--scale", "smoke", "--jobs", "2"]) in (0, 3)
    for state in board():
        assert state.status == "done", state.slug
        assert state.result is not None
        claims = studies.load(state.slug).STUDY.claims
        assert [v.claim for v in state.result.verdicts] == [c.id for c in claims], state.slug
        assert any(n.defined for n in state.result.numbers.values()), state.slug
    capsys.readouterr()
    assert main(["board"]) == 0
    # Verdicts of so few people must not look like those of a demo.
    assert capsys.readouterr().out.count("smoke") == len(studies.names())
