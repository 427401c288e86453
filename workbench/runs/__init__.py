"""Runs: identity, own process, journal, one commit, resume. papermill lives here and only here."""

from .index import Record, State, board, committed, history, look, state
from .kept import Figure, Step, executed, figures, scores, steps, trouble
from .process import Done, run, run_many
from .session import Conclusion, Run, begin

__all__ = [
    "Conclusion", "Done", "Figure", "Record", "Run", "State", "Step", "begin", "board", "committed", "executed",
    "figures", "history", "look", "run", "run_many", "scores", "state", "steps", "trouble",
]  # fmt: skip
