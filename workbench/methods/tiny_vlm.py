"""A vision-language model of four small blocks, built as PaliGemma is (arXiv 2407.07726): patches, a prefix, a suffix.

Image and question are the prefix, which sees all of itself; the answer is the suffix, which sees the prefix and what
was said before. Image tokens carry their own place, so their order does not matter. The loss is on the suffix alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import ShapeError
from ..models.networks.mobilefacenet import load_state
from .small_recogniser import initialise, prepare
from .tiny_vlm_words import END, PAD, START, VOCABULARY, decode, encode

PATCH, WIDTH, BLOCKS, HEADS, RANK = 8, 64, 2, 4, 4
ROWS, COLUMNS = 8, 20
QUESTION, SUFFIX = 12, 8
IGNORED = -100
State = Mapping[str, NDArray[np.generic]]


class LowRank(nn.Module):
    """A frozen projection and a change of it of rank 4 (LoRA, arXiv 2106.09685); it starts without a change."""

    def __init__(self, frozen: nn.Linear, generator: torch.Generator) -> None:
        super().__init__()
        self.frozen = frozen.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(RANK, frozen.in_features, generator=generator) / frozen.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(frozen.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        """``(..., in)`` to ``(..., out)``."""
        out: Tensor = self.frozen(x) + x @ self.down.T @ self.up.T
        return out


class Block(nn.Module):
    """Attention and two layers, each after a normalisation and beside a way around it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv: nn.Module = nn.Linear(WIDTH, 3 * WIDTH)
        self.out: nn.Module = nn.Linear(WIDTH, WIDTH)
        self.wide: nn.Module = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow: nn.Module = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(n, t, width)`` to the same; ``mask`` is True where a token (row) may look."""
        n, t, _ = x.shape
        q, k, v = self.qkv(self.first(x)).view(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(n, t, WIDTH)
        x = x + self.out(seen)
        more: Tensor = x + self.narrow(F.gelu(self.wide(self.second(x)), approximate="tanh"))
        return more


class TinyVLM(nn.Module):
    """Pictures and questions to words."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Linear(3 * PATCH**2, WIDTH)
        self.row, self.column = nn.Embedding(ROWS, WIDTH), nn.Embedding(COLUMNS, WIDTH)
        self.encoder = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.projector = nn.Linear(WIDTH, WIDTH)
        self.word = nn.Embedding(len(VOCABULARY), WIDTH)
        self.place = nn.Embedding(QUESTION + SUFFIX, WIDTH)
        self.decoder = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, len(VOCABULARY))

    def image_tokens(self, patches: Tensor, places: Tensor) -> Tensor:
        """Patches ``(n, p, 192)`` at places ``(p, 2)``, row and column, to ``(n, p, width)``."""
        x = self.patch(patches) + self.row(places[:, 0]) + self.column(places[:, 1])
        for block in self.encoder:
            x = block(x)
        out: Tensor = self.projector(x)
        return out

    def forward(self, image: Tensor, question: Tensor, suffix: Tensor) -> Tensor:
        """Logits ``(n, p + q + s, words)`` of the word after each token.

        Args:
            image: tokens ``(n, p, width)``.
            question: words ``(n, q)``, padded.
            suffix: words ``(n, s)`` from the start token on, padded.
        """
        place = torch.arange(question.shape[1] + suffix.shape[1])
        place[question.shape[1] :] += QUESTION - question.shape[1]
        text = self.word(torch.cat([question, suffix], 1)) + self.place(place)
        x = torch.cat([image, text], 1)
        mask = prefix_mask(image.shape[1], question, suffix)
        for block in self.decoder:
            x = block(x, mask)
        logits: Tensor = self.head(self.norm(x))
        return logits


def patches(images: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures ``(n, 3, h, w)`` as patches ``(n, p, 192)`` and their places ``(p, 2)``; narrow ones are centred.

    Raises:
        ShapeError: sides that are no multiples of 8, or larger than 64 by 160.
    """
    n, _, h, w = images.shape
    if h % PATCH or w % PATCH or h > ROWS * PATCH or w > COLUMNS * PATCH:
        raise ShapeError("pictures do not fit", given=(h, w), expected="multiples of 8 up to (64, 160)")
    rows, columns = h // PATCH, w // PATCH
    cut = images.reshape(n, 3, rows, PATCH, columns, PATCH).permute(0, 2, 4, 1, 3, 5).reshape(n, rows * columns, -1)
    grid = torch.meshgrid(torch.arange(rows), torch.arange(columns) + (COLUMNS - columns) // 2, indexing="ij")
    return cut, torch.stack(grid, -1).reshape(-1, 2)


def prefix_mask(image_tokens: int, question: Tensor, suffix: Tensor) -> Tensor:
    """Who sees whom, ``bool (n, 1, t, t)``: all see the prefix, the suffix sees its past, nobody sees padding."""
    prefix, whole = image_tokens + question.shape[1], image_tokens + question.shape[1] + suffix.shape[1]
    at = torch.arange(whole)
    seen = (at[None, :] < prefix) | (at[None, :] <= at[:, None])
    words = torch.cat([question, suffix], 1) != PAD
    there = torch.cat([torch.ones(len(question), image_tokens, dtype=torch.bool), words], 1)
    return (seen[None] & there[:, None, :])[:, None]


def labels(image_tokens: int, question: Tensor, answer: Tensor) -> Tensor:
    """The word that each token should say, ``(n, p + q + s)``; -100 for image, question and padding."""
    ignored = torch.full((len(answer), image_tokens + question.shape[1]), IGNORED)
    return torch.cat([ignored, torch.where(answer == PAD, IGNORED, answer)], 1)


def suffix_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy over the tokens whose label is not -100."""
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)


def shifted(answer: Tensor) -> Tensor:
    """What the decoder is given for an answer: the start token, and the answer without its last place."""
    return torch.cat([torch.full_like(answer[:, :1], START), answer[:, :-1]], 1)


def answer_loss(network: TinyVLM, images: Tensor, question: Tensor, answer: Tensor) -> Tensor:
    """Suffix loss of pictures ``(n, 3, h, w)``, questions ``(n, q)`` and answers ``(n, s)`` with their end token."""
    # The longest of the batch is long enough.
    question = question[:, : int((question != PAD).sum(1).max())]
    answer = answer[:, : int((answer != PAD).sum(1).max())]
    cut, places = patches(images)
    logits = network(network.image_tokens(cut, places), question, shifted(answer))
    return suffix_loss(logits, labels(cut.shape[1], question, answer))


@torch.inference_mode()
def greedy(network: TinyVLM, image: Tensor, question: Tensor, most: int = SUFFIX) -> Tensor:
    """The likeliest word after each, ``(n, <= most)``, until all have said the end token; padded behind it."""
    said = torch.full((len(question), 1), START)
    while said.shape[1] <= most:
        word = network(image, question, said)[:, -1].argmax(1)
        # After the end nothing is said.
        word = torch.where((said == END).any(1), PAD, word)
        said = torch.cat([said, word[:, None]], 1)
        if bool((said == END).any(1).all()):
            break
    return said[:, 1:]


@dataclass(frozen=True)
class TrainedVLM:
    """A trained model as arrays.

    Attributes:
        state: its tensors by name.
        losses: mean suffix loss of each epoch.
        low_rank: whether the decoder's projections were tuned by LoRA.
    """

    state: State
    losses: tuple[float, ...]
    low_rank: bool = False

    def network(self) -> TinyVLM:
        """The model, in eval mode."""
        network = TinyVLM()
        if self.low_rank:
            adapt(network, torch.Generator().manual_seed(0))
        load_state(network, self.state, "the trained vision-language model")
        return network.eval()

    def ask(self, images: NDArray[np.uint8], questions: list[str], batch: int = 100) -> list[str]:
        """Answers to one question for each picture ``uint8 (n, h, w, 3)``, as texts."""
        network, texts = self.network(), []
        for start in range(0, len(images), batch):
            asked = torch.from_numpy(encode(questions[start : start + batch], QUESTION))
            with torch.inference_mode():
                image = network.image_tokens(*patches(prepare(images[start : start + batch])))
            texts += decode(greedy(network, image, asked).numpy())
        return texts


def fresh(seed: int) -> TinyVLM:
    """A model with weights from a named seed."""
    network = TinyVLM()
    initialise(network, "tiny-vlm", seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Embedding):
                module.weight.normal_(0.0, 0.3, generator=generator)
            elif isinstance(module, nn.Linear):
                module.weight.mul_(0.5)
    return network


def adapt(network: TinyVLM, generator: torch.Generator) -> list[nn.Parameter]:
    """Freeze all and put LoRA beside attention and both layers of the decoder; returns what is left to train."""
    network.requires_grad_(False)
    added: list[nn.Parameter] = []
    for block in network.decoder:
        for name in ("qkv", "out", "wide", "narrow"):
            module = LowRank(getattr(block, name), generator)
            setattr(block, name, module)
            added += [module.down, module.up]
    return added
