"""The base of all widgets: one front end, questions that are checked, work that does not block, errors in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import anywidget
import traitlets as t

from ..core import ParameterError, UnknownNameError, WorkbenchError
from .messages import Question, answers, checked
from .modules import bundle, styles
from .showing import Shown
from .work import Job, Worker, asked_by_browser, from_browser


class Bench(Shown, anywidget.AnyWidget):
    """A widget of the bench.

    A subclass names its front end (``front``: the ES module ``static/<front>.js``, with ``static/<front>.css`` where
    `sheets` names it), the traits that a browser may set (``writable``), and marks the questions that it answers with
    `messages.answers`. Traits hold state that may lie in a notebook: no pixels of real people, no secrets. Pictures go
    to the browser as answers, when it asks for them.

    Attributes:
        error: what went wrong last, in words; "" when nothing did.
        working: what is being done, "" when nothing is.
        progress: the share of it that is done, 0 to 1.
        label: the accessible name.
        scope: the class below which the widget's own style sheets reach.
    """

    front: ClassVar[str]
    sheets: ClassVar[tuple[str, ...]] = ()
    writable: ClassVar[frozenset[str]] = frozenset()
    questions: ClassVar[dict[str, Question]] = {}

    error = t.Unicode("").tag(sync=True)
    working = t.Unicode("").tag(sync=True)
    progress = t.Float(0.0).tag(sync=True)
    label = t.Unicode("").tag(sync=True)
    scope = t.Unicode("").tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {n: m.question for n, m in vars(cls).items() if isinstance(getattr(m, "question", None), Question)}
        taken = [name for name in own if hasattr(anywidget.AnyWidget, name)]
        if taken:
            raise TypeError(f"{cls.__name__}: a question may not have the name of a widget's own method: {taken}")
        cls.questions = {"hello": Question({}), **cls.questions, **own}

    def __init__(self, **kwargs: Any) -> None:
        self._worker = Worker()
        self._changing = threading.RLock()
        self._esm = bundle(self.front)
        self._css = styles(self.front, self.sheets)
        super().__init__(**{"label": type(self).__name__, "scope": f"fw-of-{self.front}", **kwargs})

    @answers()
    def hello(self) -> None:
        """Say that Python is there."""

    def work(self, label: str, task: Callable[[Job], Any], then: Callable[[Any], None], *, quick: bool = False) -> None:
        """Do something slow: at once if Python asked for it, in the widget's thread if the browser did.

        Args:
            label: what is being done, shown meanwhile; "finding faces".
            task: gets the `Job`, whose ``progress(done, total)`` shows how far it is and ends work that a newer wish
                has made useless. It touches no trait.
            then: gets the task's value and sets traits.
            quick: do not show the label: for sliders, which would flicker.
        """

        def finished(value: Any) -> None:
            with self._changing:
                then(value)
                self.working, self.error = "", ""

        def failed(error: Exception) -> None:
            with self._changing:
                self.working = ""
                self.fail(error)

        def report(share: float) -> None:
            self.progress = share

        if not quick:
            self.working, self.progress = label, 0.0
        self._worker.do(Job(task, finished, failed, report))

    def fail(self, error: Exception) -> None:
        """Say an error in the widget; where Python asked for what failed, raise it in the cell."""
        ours = isinstance(error, WorkbenchError | t.TraitError)
        self.error = str(error) if ours else f"{type(error).__name__}: {error}"
        if not asked_by_browser():
            raise error
        if not ours:
            self.log.error("%s: %s", type(self).__name__, self.error, exc_info=error)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for the work that goes on; False when ``timeout`` seconds were not enough."""
        return self._worker.settle(timeout)

    def close(self) -> None:
        """End the work and the connection."""
        # A widget whose construction failed has no worker, and is closed all the same when it is collected.
        if "_worker" in vars(self):
            self._worker.stop()
        super().close()

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take traits from the browser: those that it may set, if they fit; else say so and set the view right."""
        refused: list[str] = []
        with from_browser(), self._changing:
            self.error = ""
            for name, value in sync_data.items():
                try:
                    if name not in self.writable:
                        raise ParameterError("the browser may not set this", given=name, expected=sorted(self.writable))
                    super().set_state({name: value})
                except Exception as error:
                    refused.append(name)
                    self.fail(error)
        known = [name for name in refused if name in self.keys]
        if known:
            self.send_state(known)

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        """Answer a question ``{ask, id, with}`` of the browser with ``{answer, ...}`` or ``{answer, error}``."""
        number = content.get("id") if isinstance(content, dict) else None
        try:
            name = content.get("ask") if isinstance(content, dict) else None
            if not isinstance(name, str) or not isinstance(number, int):
                raise ParameterError("this is no question", given=type(content).__name__, expected="{ask, id, with}")
            if name not in self.questions:
                raise UnknownNameError("question", name[:80], self.questions)
            arguments = checked(self.questions[name], content.get("with"), buffers or [])
            with from_browser():
                if self.questions[name].wish:
                    self.error = ""
                said = getattr(self, name)(**arguments)
        except Exception as error:
            with from_browser():
                self.fail(error)
            self.send({"answer": number, "error": self.error})
            return
        values, parts = said if isinstance(said, tuple) else (said or {}, [])
        self.send({"answer": number, **values}, buffers=parts)
