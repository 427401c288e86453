"""Pictures of a chat model's answers: what was asked and said, repetition, framings, operating points, age ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Evidence, ImageError, Samples, Undefined
from ..methods.asked import NO_PICTURE, NO_REPLY, REFUSAL, UNDECIDED, VALUE, Replies
from ..methods.chat_numbers import AGE, CHAT, NETWORK, SEX
from ..metrics import roc
from ..studies.llm_biometrics import Answers, Material, Networks
from .style import COLOURS, Picture, theme

_GREY = "#7f7f7f"
_TASKS = {"gender": SEX, "age-range": AGE}
_STATES = ((VALUE, "answered"), (REFUSAL, "refused"), (UNDECIDED, "undecided"), (NO_REPLY, "no reply"),
           (NO_PICTURE, "no picture"))  # fmt: skip


def faces(material: Material, *, count: int = 6, show: bool = False, dark: bool = False) -> Picture:
    """Mated and non-mated pairs, and labelled singles; real people only when ``show`` says so."""
    hide = material.real and not show
    rows = []
    if material.pairs is not None and material.trials is not None:
        for kind, title in ((True, "mated pairs"), (False, "non-mated pairs")):
            every = np.flatnonzero(material.trials.mated == kind)
            at = every[np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)]
            for side in (material.trials.reference, material.trials.probe):
                rows.append((title, material.pairs, side[at], [""] * len(at)))
                title = ""
    if material.singles is not None:
        known = material.singles.attributes
        at = np.arange(min(count, len(material.singles)))
        words = [f"{int(known['age'][i])}, {'male' if known['masculine'][i] else 'female'}" for i in at]
        rows.append(("singles and their labels", material.singles, at, words))
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.35 * count, 1.5 * len(rows) + 0.6), layout="constrained")
        grid = figure.subplots(len(rows), count, squeeze=False)
        for axes, (title, samples, chosen, words) in zip(grid, rows, strict=True):
            _row(axes, samples, chosen, words, hide)
            axes[0].set_title("\n".join(t for t in (title, words[0] if words else "") if t), loc="left", fontsize=9)
        hidden = ", pictures hidden (show_faces = True shows them)" if hide else ""
        figure.suptitle(f"What is asked about: {material.name}{hidden}")
    return figure


def _row(axes: Any, samples: Samples, chosen: NDArray[np.int64], words: list[str], hide: bool) -> None:
    for place in axes:
        place.axis("off")
    for place, i, text in zip(axes, chosen.tolist(), words, strict=False):
        place.imshow(_picture(samples, i, hide), interpolation="nearest")
        place.set_title(text, fontsize=9, loc="left")


def _picture(samples: Samples, at: int, hide: bool) -> NDArray[np.uint8]:
    """A picture, or grey where it is hidden or cannot be decoded."""
    try:
        image = samples.images[at]
    except ImageError:
        return np.full((8, 8, 3), 160, np.uint8)
    return np.full_like(image, 160) if hide else image


def losses(trained: Networks, *, dark: bool = False) -> Picture:
    """Loss of each epoch of the networks that were trained here."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(6, 3), layout="constrained")
        axes = figure.subplots()
        for name, taught in ((NETWORK, trained.dedicated), ("the responder's eyes", trained.sight)):
            if taught is not None:
                axes.plot(np.arange(1, len(taught.losses) + 1), taught.losses, "o-", ms=4, label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss")
        axes.set_ylim(0)
        if axes.lines:
            axes.set_xticks(np.arange(1, 1 + max(len(np.asarray(line.get_xdata())) for line in axes.lines)))
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle("Networks trained here" if axes.lines else "No network was trained here")
    return figure


def heard(told: Answers, *, each: int = 4, dark: bool = False) -> Picture:
    """Some replies word for word, and what they were read as."""
    lines = [line for r in told.all() for line in _quotes(r, each)]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(11, 0.34 * len(lines) + 0.9), layout="constrained")
        axes = figure.subplots()
        axes.axis("off")
        for k, (task, state, text) in enumerate(lines):
            y = 1 - (k + 0.5) / max(1, len(lines))
            colour = COLOURS[[s for s, _ in _STATES].index(state)]
            axes.text(0.0, y, task, fontsize=8.5, va="center")
            axes.text(0.14, y, dict(_STATES)[state], fontsize=8.5, va="center", color=colour, weight="bold")
            axes.text(0.22, y, text, fontsize=8.5, va="center")
        axes.set_xlim(0, 1)
        figure.suptitle("Replies as they came, and what they were read as")
    return figure


def _quotes(replies: Replies, each: int) -> list[tuple[str, str, str]]:
    """Different replies, of every state that occurs, as many as are wanted."""
    found: dict[tuple[str, str], None] = {}
    for state, _ in _STATES:
        texts = [t for row, said in zip(replies.outcomes, replies.texts, strict=True)
                 for o, t in zip(row, said, strict=True) if o == state]  # fmt: skip
        for text in list(dict.fromkeys(texts))[: max(1, each - 2) if state == VALUE else 1]:
            short = " ".join(text.split())
            found[state, short if len(short) <= 125 else short[:124] + "…"] = None
    return [(_TASKS.get(replies.task, replies.task), state, text) for state, text in found]


def loop(told: Answers, *, dark: bool = False) -> Picture:
    """What had become of the questions after each time of asking."""
    every = told.all()
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(2.7 * len(every) + 1.8, 3.2), layout="constrained")
        grid = figure.subplots(1, max(1, len(every)), sharey=True, squeeze=False)[0]
        for axes, replies in zip(grid, every, strict=True):
            bottom, x = np.zeros(len(replies.outcomes)), np.arange(1, 1 + len(replies.outcomes))
            for (state, label), colour in zip(_STATES, COLOURS, strict=False):
                share = 100 * np.array([np.mean(_until(replies, k) == state) for k in range(len(x))])
                axes.bar(x, share, bottom=bottom, color=colour, label=label, width=0.7)
                bottom += share
            task = _TASKS.get(replies.task, replies.task)
            axes.set_title(f"{task}, {replies.framing}\n{len(replies)} asked", fontsize=10)
            axes.set_xticks(x)
            axes.set_xlabel("times of asking")
        grid[0].set_ylabel("questions [%]")
        grid[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle("Asking again what was refused or not clear")
    return figure


def _until(replies: Replies, attempt: int) -> NDArray[np.str_]:
    """State of each question after this attempt."""
    state: NDArray[np.str_] = replies.outcomes[0]
    for row in replies.outcomes[1 : attempt + 1]:
        state = np.asarray(np.where((state == VALUE) | (row == ""), state, row), np.str_)
    return state


def framings(found: Evidence, *, dark: bool = False) -> Picture:
    """Refusal rate with and without the preamble, at the first time of asking, and agreement of both orders."""
    names = [(f"refused at the first asking: {f}", f"refused,\n{f}") for f in ("direct", "generated")]
    names.append(("agreement, both orders of a pair", "both orders\nof a pair agree"))
    there = [(label, found.numbers[key]) for key, label in names if key in found.numbers]
    return _bars(there, "The same pictures, asked in other ways", dark)


def _bars(there: list[tuple[str, Estimate]], title: str, dark: bool) -> Picture:
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.5 * max(2, len(there)) + 1.5, 3.2), layout="constrained")
        axes = figure.subplots()
        for k, (_, estimate) in enumerate(there):
            if estimate.defined:
                axes.bar(k, 100 * float(estimate), 0.6, color=COLOURS[k % len(COLOURS)])
                _whisker(axes, k, estimate)
        axes.set_xticks(np.arange(len(there)), [label for label, _ in there])
        axes.set_ylim(0, 100)
        axes.set_ylabel("share [%]")
        figure.suptitle(title)
    return figure


def _whisker(axes: Any, x: float, estimate: Estimate) -> None:
    if isinstance(estimate.low, float) and isinstance(estimate.high, float):
        axes.plot([x, x], [100 * estimate.low, 100 * estimate.high], color=_GREY, lw=1.5)


def operating_points(found: Evidence, *, dark: bool = False) -> Picture:
    """The chat model's operating point beside the dedicated network's curve."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(5.6, 4.4), layout="constrained")
        axes = figure.subplots()
        if NETWORK not in found.scores:
            axes.axis("off")
            figure.suptitle("No pairs in these data: nothing to verify")
            return figure
        curve = roc(found.scores[NETWORK])
        if not isinstance(curve, Undefined):
            axes.plot(100 * curve[0], 100 * curve[1], lw=1.8, label=NETWORK, color=COLOURS[0])
        for over, colour, mark in (("all", COLOURS[1], "o"), ("answered", COLOURS[2], "s")):
            tmr, fmr = (found.numbers[f"{rate} over {over}: {CHAT}"] for rate in ("TMR", "FMR"))
            if tmr.defined and fmr.defined:
                axes.plot(100 * float(fmr), 100 * float(tmr), mark, ms=8, color=colour, label=f"{CHAT}, over {over}")
                _cross(axes, fmr, tmr, colour)
        axes.plot([0, 100], [0, 100], ls=":", color=_GREY, lw=1, label="chance")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_xlabel("FMR [%]")
        axes.set_ylabel("TMR [%]")
        axes.legend(loc="lower right")
        figure.suptitle("A curve, and a point with its 95 % intervals")
    return figure


def _cross(axes: Any, fmr: Estimate, tmr: Estimate, colour: str) -> None:
    x, y = 100 * float(fmr), 100 * float(tmr)
    if isinstance(fmr.low, float) and isinstance(fmr.high, float):
        axes.plot([100 * fmr.low, 100 * fmr.high], [y, y], color=colour, lw=1.2)
    if isinstance(tmr.low, float) and isinstance(tmr.high, float):
        axes.plot([x, x], [100 * tmr.low, 100 * tmr.high], color=colour, lw=1.2)


def ages(material: Material, told: Answers, *, count: int = 150, dark: bool = False) -> Picture:
    """Age ranges over true ages; those that miss are marked."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.5, 4), layout="constrained")
        axes = figure.subplots()
        if material.singles is None or told.age is None:
            axes.axis("off")
            figure.suptitle("No labelled faces in these data: no ages")
            return figure
        true, ranges = np.asarray(material.singles.attributes["age"], np.float64), told.age.decided
        there = np.flatnonzero(np.isfinite(ranges[:, 0]))
        shown = there[np.linspace(0, len(there) - 1, min(count, len(there))).astype(int)] if len(there) else there
        hit = (ranges[:, 0] <= true) & (true <= ranges[:, 1])
        for right, colour, label in ((True, COLOURS[0], "holds the true age"), (False, COLOURS[3], "misses it")):
            at = shown[hit[shown] == right]
            axes.vlines(true[at], ranges[at, 0], ranges[at, 1], color=colour, lw=1.6, alpha=0.75, label=label)
        ends = [float(true.min()), float(true.max())]
        axes.plot(ends, ends, color=_GREY, lw=1, ls=":")
        axes.set_xlabel("true age [years]")
        axes.set_ylabel("age range [years]")
        axes.legend(loc="upper left")
        figure.suptitle(f"{len(shown)} of {len(there)} age ranges, {len(true) - len(there)} without an answer")
    return figure


def groups(found: Evidence, *, dark: bool = False) -> Picture:
    """Accuracy over the answered in each group, with 95 % intervals over people."""
    prefixes = [f"accuracy over answered, {what}, " for what in (SEX, AGE)]
    prefixes = [p for p in prefixes if any(k.startswith((p + "age", p + "sex", p + "sharp")) for k in found.numbers)]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(10, 5.2), layout="constrained")
        axes = figure.subplots()
        if not prefixes:
            axes.axis("off")
            figure.suptitle("No labelled faces in these data: no groups")
            return figure
        names = [k.removeprefix(prefixes[0]) for k in found.numbers
                 if k.startswith(prefixes[0]) and not k.endswith(CHAT)]  # fmt: skip
        for k, (prefix, what) in enumerate(zip(prefixes, (SEX, AGE), strict=False)):
            for row, name in enumerate(names):
                estimate = found.numbers[prefix + name]
                if estimate.defined:
                    y = row + 0.3 * k - 0.15
                    axes.plot(100 * float(estimate), y, "os"[k], color=COLOURS[k], label=what if not row else None)
                    if isinstance(estimate.low, float) and isinstance(estimate.high, float):
                        axes.plot([100 * estimate.low, 100 * estimate.high], [y, y], color=COLOURS[k], lw=1.4)
        axes.set_yticks(np.arange(len(names)), names, fontsize=9)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("right, over the answered [%]")
        axes.grid(axis="x", alpha=0.25)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle("By age, labelled sex, sharpness and skin type of the drawing, where it is known")
    return figure
