"""How this kind of study asks: which server, how a pair is shown, and which things are asked more than once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .. import probing
from ..core import ImageError, Samples, Trials, seeds
from .asked import Chat, Embedded, Remote, Replies, Server, ask
from .chat_double import SmallEyes, Taught

Layout = Literal["two", "stitched"]
# How the responder behaves where it is asked instead of a chat model.
REFUSE_DIRECT, REFUSE_GENERATED, UNDECIDED = 0.4, 0.05, 0.08
DOUBLE = (
    "the answers are the workbench's own responder's, a test double with small networks: they say nothing about any "
    "chat model; C1 to C3 hold or fail as its networks were built, C4 and C5 by its settings"
)


def server_for(chat: Chat, sight: Taught | None, seed: int) -> Server:
    """The endpoint, or a responder that sees with the network trained here, or with face-api's on photographs."""
    if chat.url:
        return Remote(chat)
    if sight is not None:
        small = SmallEyes(sight)
        return Embedded(lambda: small, {"sight": sight.digest}, REFUSE_DIRECT, REFUSE_GENERATED, UNDECIDED, seed)
    from .responder_eyes import ModelEyes

    eyes = ModelEyes()
    return Embedded(lambda: eyes, {"sight": "face-api"}, REFUSE_DIRECT, REFUSE_GENERATED, UNDECIDED, seed)


def shown(samples: Samples, at: int) -> list[probing.Shown]:
    """A picture as it is sent, pixels alone, encoded anew; nothing where its file cannot be decoded."""
    try:
        return [probing.shown(samples.images[at])]
    except ImageError:
        return []


def pairs_shown(samples: Samples, trials: Trials, layout: Layout) -> list[list[probing.Shown]]:
    """Each pair as two pictures of one message, or as one picture; nothing where either cannot be decoded."""
    sides = list(zip(trials.reference.tolist(), trials.probe.tolist(), strict=True))
    if layout == "stitched":
        return [_stitched(samples, a, b) for a, b in sides]
    used = {i: shown(samples, i) for i in {i for pair in sides for i in pair}}
    return [used[a] + used[b] if used[a] and used[b] else [] for a, b in sides]


def _stitched(samples: Samples, a: int, b: int) -> list[probing.Shown]:
    try:
        return [probing.shown(probing.side_by_side(samples.images[a], samples.images[b]))]
    except ImageError:
        return []


def asked_about(
    server: Server, chat: Chat, task: str, framing: str, pictures: list[list[probing.Shown]], store: str, dataset: str,
    attempts: int = 1, again: int = 0, *, seed: int,
) -> Replies | None:  # fmt: skip
    """Replies about some pictures; None where there are none.

    Args:
        server: who answers.
        chat: settings and consent.
        task: of `probing.tasks`.
        framing: what is said before the question.
        pictures: of each thing, see `asked.ask`.
        store: file of the answers.
        dataset: whose pictures these are.
        attempts: times of asking at most.
        again: things that are asked every time.
        seed: of the choice of those.
    """
    if not pictures:
        return None
    always = np.zeros(len(pictures), bool)
    always[some_of(len(pictures), again, seed)] = True
    prompt = probing.prompt(task, framing=framing)
    return ask(server, chat, prompt, pictures, store, dataset=dataset, attempts=attempts, always=always)


def some_of(n: int, count: int, seed: int) -> NDArray[np.int64]:
    """``count`` of ``n`` things in rising order; the same whenever it is asked for."""
    return np.sort(seeds.rng("chat", "again", seed, n).permutation(n)[:count])
