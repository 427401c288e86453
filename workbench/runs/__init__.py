"""Runs: identity, own process, journal, one commit, resume. papermill lives here and only here."""

from .index import State, board, state
from .process import Done, run, run_many
from .session import Conclusion, Run, begin

__all__ = ["Conclusion", "Done", "Run", "State", "begin", "board", "run", "run_many", "state"]
