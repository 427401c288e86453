"""A vision transformer in three streams (colour, depth, infrared) with uncertainty-guided cross-modal adapters.

X. Lin et al., "Suppress and Rebalance", CVPR 2024, arXiv 2402.19298. Colour is the hub: depth and infrared never
exchange. Streams are numbered 1 (colour), 2 (depth), 3 (infrared), as parameters are assigned to them by that number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core import ParameterError, WeightsError
from .multimodal_adapters import DROP, HIDDEN, Bundle, UAdapter, closed_confidence, sampled_confidence

MODALITIES = ("rgb", "depth", "infrared")
# Own stream and other stream of each adapter of a block.
LINKS = ((1, 2), (1, 3), (2, 1), (3, 1))
_OWN, _OTHER = [own - 1 for own, _ in LINKS], [other - 1 for _, other in LINKS]
Uncertainty = Literal["sampled", "closed", "none"]


@dataclass(frozen=True)
class Size:
    """How large a transformer is.

    Attributes:
        picture: side of the pictures.
        patch: side of a patch.
        width: of a token.
        blocks, heads: of the transformer.
    """

    picture: int
    patch: int
    width: int
    blocks: int
    heads: int

    @property
    def grid(self) -> int:
        """Patches a side."""
        return self.picture // self.patch

    @property
    def tokens(self) -> int:
        """The class token and one of each patch."""
        return self.grid**2 + 1


SMALL, VIT_B16 = Size(64, 8, 64, 4, 4), Size(224, 16, 768, 12, 12)


class Attention(nn.Module):
    """Multi-head self-attention; parameters are named as in `torch.nn.MultiheadAttention`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens ``(n, t, d)`` to as many."""
        n, t, d = x.shape
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias).view(n, t, 3, self.heads, d // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d)
        out: Tensor = self.out_proj(mixed)
        return out


class Block(nn.Module):
    """Attention and perceptron, each after its norm; parameters are named as torchvision names them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.ModuleDict({"0": nn.Linear(width, 4 * width), "3": nn.Linear(4 * width, width)})

    def parts(self, p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``a = MSA(LN1(p))``, ``y = LN2(p + a)`` and the block's output ``p + a + MLP(y)``."""
        a = self.self_attention(self.ln_1(p))
        r = p + a
        y = self.ln_2(r)
        return a, y, r + self.mlp["3"](F.gelu(self.mlp["0"](y)))

    def forward(self, p: Tensor) -> Tensor:
        """Tokens ``(n, t, d)`` to as many."""
        return self.parts(p)[2]


class Trunk(nn.Module):
    """The transformer of one stream: what is pre-trained."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.projection = nn.Conv2d(3, size.width, size.patch, size.patch)
        self.token = nn.Parameter(torch.zeros(1, 1, size.width))
        self.position = nn.Parameter(torch.zeros(1, size.tokens, size.width))
        self.blocks = nn.ModuleList([Block(size.width, size.heads) for _ in range(size.blocks)])
        self.norm = nn.LayerNorm(size.width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures ``(n, 3, s, s)`` in [-1, 1] to the class token after the last norm ``(n, d)``."""
        p = torch.cat([self.token.expand(len(x), -1, -1), patches(self.projection, x)], 1) + self.position
        for block in self.blocks:
            p = block(p)
        out: Tensor = self.norm(p[:, 0])
        return out


def patches(projection: nn.Module, x: Tensor) -> Tensor:
    """Pictures ``(n, 3, s, s)`` to patch tokens ``(n, grid^2, d)``, row by row."""
    found: Tensor = projection(x).flatten(2).transpose(1, 2)
    return found


def torchvision_trunk(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A trunk's state out of a ViT's in torchvision's naming; its classification head is left out.

    Raises:
        WeightsError: a tensor of another network is among them.
    """
    fixed = {"conv_proj": "projection", "class_token": "token", "encoder.pos_embedding": "position",
             "encoder.ln": "norm"}  # fmt: skip
    # Older files call the perceptron's layers by these names.
    old = {"mlp.linear_1": "mlp.0", "mlp.linear_2": "mlp.3"}
    found = {}
    for name, tensor in tensors.items():
        if name.startswith("heads."):
            continue
        key = name.replace("encoder.layers.encoder_layer_", "blocks.")
        for before, after in {**fixed, **old}.items():
            key = key.replace(before, after)
        if key == name and not name.startswith("blocks."):
            raise WeightsError(
                "this is no vision transformer in torchvision's naming", given=name,
                expected="conv_proj.weight, encoder.layers.encoder_layer_0.ln_1.weight, ...",
            )  # fmt: skip
        found[key] = tensor
    return found


@dataclass(frozen=True)
class Seen:
    """What the network says.

    Attributes:
        logits: ``(n, 2)``: bona fide, attack.
        features: ``(3, n, d)`` class tokens after the last norm.
        trust: ``(3,)`` mean confidence over the class tokens in the last block, 1 where none is estimated.
    """

    logits: Tensor
    features: Tensor
    trust: Tensor


class Streams(nn.Module):
    """Three streams through one trunk.

    Blocks but the last are frozen, and so is the patch projection, whose copies for the modalities are therefore one;
    class tokens, positions, adapters, the last block, the last norm and the head are trained.

    Attributes:
        generator: of all dropout; torch's own draws from the global one.
    """

    def __init__(self, size: Size, *, adapters: bool) -> None:
        super().__init__()
        self.size = size
        self.projection = nn.Conv2d(3, size.width, size.patch, size.patch)
        self.token = nn.ParameterDict({str(m): torch.zeros(1, 1, size.width) for m in (1, 2, 3)})
        self.position = nn.ParameterDict({str(m): torch.zeros(1, size.tokens, size.width) for m in (1, 2, 3)})
        self.blocks = nn.ModuleList([Block(size.width, size.heads) for _ in range(size.blocks)])
        self.adapters = nn.ModuleList([
            nn.ModuleDict({f"{own}{other}": UAdapter(size.width) for own, other in LINKS})
            for _ in range(size.blocks if adapters else 0)
        ])  # fmt: skip
        self.norm = nn.LayerNorm(size.width, eps=1e-6)
        self.head = nn.Linear(3 * size.width, 2)
        self.generator = torch.Generator()
        for frozen in (self.projection, self.blocks[:-1]):
            frozen.requires_grad_(False)

    def begin(self, trunk: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take a pre-trained trunk and draw all else: positions N(0, 0.02), Xavier, zero where adapters end.

        Raises:
            WeightsError: the trunk lacks a tensor, or has one too many.
        """
        own = {k: v for k, v in trunk.items() if k not in ("token", "position")}
        wanted = {k for k in self.state_dict() if k.startswith(("projection.", "blocks.", "norm."))}
        if wrong := sorted(wanted ^ own.keys()):
            raise WeightsError(
                "this trunk is not the network's", given=f"{len(wrong)} tensors differ, {wrong[0]!r} first",
                expected=f"a trunk of {self.size}",
            )  # fmt: skip
        self.load_state_dict(own, strict=False)
        with torch.no_grad():
            for m in ("1", "2", "3"):
                self.token[m].copy_(trunk["token"])
                self.position[m].normal_(0.0, 0.02, generator=generator)
            nn.init.xavier_uniform_(self.head.weight, generator=generator)
            self.head.bias.zero_()
        for number in range(len(self.adapters)):
            for adapter in self._links(number):
                adapter.begin(generator)

    def forward(self, x: Tensor, *, uncertainty: Uncertainty = "sampled", samples: int = 20) -> Seen:
        """Look.

        Args:
            x: ``(n, 3, 3, s, s)``: modality before colour channel.
            uncertainty: ``"sampled"``, the paper's; ``"closed"``, what that tends to; ``"none"``, 1 everywhere.
            samples: of dropout, for ``"sampled"``.
        """
        *_, (_, trust, p) = self._through(self._tokens(x), uncertainty, samples)
        features = self.norm(p[:, :, 0])
        logits = self.head(features.transpose(0, 1).flatten(1))
        whole = torch.ones(3) if trust is None else trust[:, :, 0].mean(1)
        return Seen(logits, features, whole)

    def logit_spread(self, x: Tensor) -> Tensor:
        """`Bundle.logit_spread` of every block ``(blocks, links)`` where trust is 1; without adapters ``(0, 4)``."""
        found = [torch.zeros(0, len(LINKS))]
        for number, (y, _, _) in enumerate(self._through(self._tokens(x), "none", 2)):
            if self.adapters:
                found.append(Bundle(self._links(number), self.size.grid).logit_spread(y[_OWN], y[_OTHER])[None])
        return torch.cat(found)

    def _tokens(self, x: Tensor) -> Tensor:
        """Class tokens and patches of all streams with their positions, ``(3, n, t, d)``."""
        n = len(x)
        seen = patches(self.projection, x.transpose(0, 1).flatten(0, 1)).view(3, n, -1, self.size.width)
        starts = torch.stack([self.token[m].expand(n, -1, -1) for m in ("1", "2", "3")])
        return torch.cat([starts, seen], 2) + torch.stack([self.position[m] for m in ("1", "2", "3")])

    def _through(
        self, p: Tensor, uncertainty: Uncertainty, samples: int
    ) -> Iterator[tuple[Tensor, Tensor | None, Tensor]]:
        """Of every block: tokens after its second norm, confidence in them, and what leaves it."""
        for number, block in enumerate(cast("Sequence[Block]", self.blocks)):
            a, y, out = (part.view(p.shape) for part in block.parts(p.flatten(0, 1)))
            trust = self._trust(a, uncertainty, samples)
            p = self._exchanged(number, y, out, trust) if self.adapters else out
            yield y, trust, p

    def _links(self, number: int) -> list[UAdapter]:
        """Adapters of a block, in the order of `LINKS`."""
        group = cast("Mapping[str, UAdapter]", self.adapters[number])
        return [group[f"{own}{other}"] for own, other in LINKS]

    def _trust(self, a: Tensor, uncertainty: Uncertainty, samples: int) -> Tensor | None:
        """Confidence in every token ``(3, n, t)``: the channels' mean."""
        if uncertainty not in ("sampled", "closed", "none"):
            raise ParameterError("unknown uncertainty", given=uncertainty, expected="sampled, closed or none")
        if uncertainty == "none" or not self.adapters:
            return None
        u = closed_confidence(a) if uncertainty == "closed" else sampled_confidence(a, samples, self.generator)
        return u.mean(-1)

    def _exchanged(self, number: int, y: Tensor, out: Tensor, trust: Tensor | None) -> Tensor:
        """The block's output with what the streams take from one another."""
        keep = None
        if self.training:
            drawn = torch.rand((len(LINKS), *y.shape[1:3], HIDDEN), generator=self.generator)
            keep = (drawn >= DROP).float() / (1 - DROP)
        bundle = Bundle(self._links(number), self.size.grid)
        given = bundle(y[_OWN], y[_OTHER], None if trust is None else trust[_OTHER], keep)
        taken = [
            torch.stack([g for g, m in zip(given, _OWN, strict=True) if m == stream]).sum(0) for stream in range(3)
        ]
        return out + torch.stack(taken)


def modality_of(name: str) -> int | None:
    """The stream that a parameter belongs to: by the first number in its place, None where all share it.

    Class tokens and positions belong to their stream, adapters to the stream that takes.
    """
    parts = name.split(".")
    if parts[0] in ("token", "position"):
        return int(parts[1])
    return int(parts[2][0]) if parts[0] == "adapters" else None
