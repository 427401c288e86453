"""Runs: identity, own process, journal, one commit, resume. papermill lives here and only here."""

from .index import Record, State, board, history, state
from .process import Done, run, run_many
from .session import Conclusion, Run, begin

__all__ = ["Conclusion", "Done", "Record", "Run", "State", "begin", "board", "history", "run", "run_many", "state"]
