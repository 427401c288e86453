"""The board: every study, and the paper's numbers beside ours without being taken for them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from workbench.core import Estimate, Reported, Result, Undefined, Verdict
from workbench.figures.beside import NOT_OURS, beside
from workbench.figures.board import board_page
from workbench.runs import State

EFFECT = Estimate(0.0345, 0.011, 0.062, counts={"people": 40, "mated": 2640})
RESULT = Result(
    "saliency",
    "2-A",
    {},
    {"scale": "demo", "seed": 7, "data": "phantom"},
    {"EER of the model": Estimate(0.25, 0.2, 0.3, counts={"people": 30}), "none": Estimate(Undefined("nobody"))},
    (
        Verdict("C1", "maps <b>help</b>", "supported", EFFECT, "the whole interval lies beyond the margin"),
        Verdict("C2", "both help", "refuted", reason="of its first part", parts=(
            Verdict("C2", "one helps", "refuted", replace(EFFECT, value=-0.5, low=-0.6, high=-0.4), "far below"),
            Verdict("C2", "another helps", "not testable here", reason="no part changes the decision"),
        )),
    ),
    (
        Reported("EER", "IJB-C", "Table 2", 1.5, unit="percent", key="EER of the model"),
        Reported("accuracy", "LFW", "abstract", 99.1, unit="percent"),
        Reported("direction", "CFP <script>", "abstract", text="better <i>maps</i>", key="none"),
    ),
    {},
)  # fmt: skip


def rows(page: str, caption: str) -> list[list[str]]:
    """The cells of the body of a table, by the beginning of its caption."""
    table = page.partition(f"<caption>{caption}")[2].partition("</table>")[0].partition("<tbody>")[2]
    lines = re.findall(r"<tr>(.*?)</tr>", table)
    return [[re.sub("<[^>]*>", "", c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)] for line in lines]


def page(result: Result | None) -> str:
    return board_page([State("saliency", "done" if result else "never run", Path("run"), result, 0.0)])


def test_numbers_of_the_paper_stand_beside_ours_with_their_data() -> None:
    number, missing, words = rows(page(RESULT), "The paper's numbers")
    assert number == ["EER", "1.5 percent", "IJB-C", "Table 2", "0.25 [0.2, 0.3] (EER of the model)",
                      "phantom, scale demo, seed 7", "30 people"]  # fmt: skip
    # What has no counterpart shows none: not the paper's number, and no empty cell that looks like a zero.
    assert missing == ["accuracy", "99.1 percent", "LFW", "abstract", NOT_OURS]
    assert words[1:6] == [
        "better &lt;i&gt;maps&lt;/i&gt;", "CFP &lt;script&gt;", "abstract", "undefined: nobody (none)",
        "phantom, scale demo, seed 7",
    ]  # fmt: skip


def test_verdicts_have_effect_interval_and_n_and_parts_have_rows_of_their_own() -> None:
    first, whole, one, other = rows(page(RESULT), "Verdicts here")
    assert first == ["C1", "maps &lt;b&gt;help&lt;/b&gt;", "✓ supported", "0.0345 [0.011, 0.062]",
                     "40 people, 2,640 mated", "the whole interval lies beyond the margin"]  # fmt: skip
    assert whole == ["C2", "both help", "✗ refuted", "", "", ""]
    assert one[1:] == ["one helps", "✗ refuted", "-0.5 [-0.6, -0.4]", "40 people, 2,640 mated", "far below"]
    assert other[1:] == ["another helps", "– not testable", "", "", "no part changes the decision"]


def test_a_study_that_never_ran_has_a_row_and_no_numbers() -> None:
    shown = page(None)
    assert "never run" in shown
    assert "The paper's numbers" not in shown
    assert "Effect" not in shown


def test_the_name_of_the_data_is_what_really_was_used() -> None:
    assert beside(replace(RESULT, environment={"data": "lfw/view1"}))[0].ours_on == "lfw/view1"
    assert beside(replace(RESULT, parameters={}))[0].ours_on == "data that the run does not name"
