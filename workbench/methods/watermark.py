"""Watermarks that one network puts into a picture and another reads: HiDDeN (Zhu et al., ECCV 2018, arXiv 1807.09937).

The message is copied to every place and joined to the picture's features. Without discriminator and noise layers, as
arXiv 2409.16056 is taken to train it. Two things are ours, so that seconds of training are enough: the networks see
blocks of pixels as channels (``block=1`` is HiDDeN's own), and the encoder says what is added to the picture, not the
picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import ParameterError, ShapeError, seeds
from ..models.networks.mobilefacenet import load_state
from .small_recogniser import initialise

Images = NDArray[np.uint8]
Bits = NDArray[np.bool_]
BLOCKS_BEFORE, BLOCKS_DECODER = 4, 5
# A loud watermark is learnt quickly and then made quiet: the picture's weight rises from the first to the last.
LOUD = 0.05
BATCH, RATE = 32, 1e-2


@dataclass(frozen=True)
class Design:
    """Sizes of both networks.

    Attributes:
        bits: length of the message.
        width: channels.
        block: side of the blocks of pixels that become channels; 1 is HiDDeN's own.
    """

    bits: int
    width: int = 24
    block: int = 4

    def __post_init__(self) -> None:
        if not (1 <= self.bits <= 1024 and 1 <= self.width <= 512 and 1 <= self.block <= 16):
            raise ParameterError(
                "a watermark's sizes are out of range", given=self,
                expected="1 to 1024 bits, 1 to 512 channels, blocks of 1 to 16 pixels",
            )  # fmt: skip


def _convolution(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())


def _stack(inside: int, width: int, count: int) -> list[nn.Sequential]:
    return [_convolution(inside if i == 0 else width, width) for i in range(count)]


class _Blocks(nn.Module):
    """Pictures in [0, 1] to blocks of pixels as channels, in [-0.5, 0.5]; sides are filled up by their last pixels."""

    def __init__(self, block: int) -> None:
        super().__init__()
        self.block = block

    def forward(self, pictures: Tensor) -> Tensor:
        """``(n, 3, h, w)`` to ``(n, 3 block^2, h / block, w / block)``, rounded up."""
        below, right = (-side % self.block for side in pictures.shape[-2:])
        filled = F.pad(pictures, (0, right, 0, below), mode="replicate") if below or right else pictures
        return F.pixel_unshuffle(filled - 0.5, self.block)


class Encoder(nn.Module):
    """Pictures ``(n, 3, h, w)`` in [0, 1] and messages ``(n, bits)`` of 0 and 1 to watermarked pictures."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        colours = 3 * design.block**2
        self.blocks = _Blocks(design.block)
        self.features = nn.Sequential(*_stack(colours, design.width, BLOCKS_BEFORE))
        self.after = _convolution(design.width + design.bits + colours, design.width)
        self.last = nn.Conv2d(design.width, colours, 1)

    def forward(self, pictures: Tensor, messages: Tensor) -> Tensor:
        """Not clipped: `marked` does that, and `rounded` what storing does."""
        seen = self.blocks(pictures)
        everywhere = (2 * messages - 1)[:, :, None, None].expand(-1, -1, *seen.shape[-2:])
        inner = self.after(torch.cat([everywhere, self.features(seen), seen], 1))
        residual = F.pixel_shuffle(self.last(inner), self.blocks.block)
        return pictures + residual[..., : pictures.shape[-2], : pictures.shape[-1]]


class Decoder(nn.Module):
    """Pictures ``(n, 3, h, w)`` in [0, 1] to messages ``(n, bits)``: above one half is a 1."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.blocks = _Blocks(design.block)
        layers = _stack(3 * design.block**2, design.width, BLOCKS_DECODER)
        self.features = nn.Sequential(*layers, _convolution(design.width, design.bits))
        self.head = nn.Linear(design.bits, design.bits)

    def forward(self, pictures: Tensor) -> Tensor:
        """Mean over all places, then one layer."""
        out: Tensor = self.head(self.features(self.blocks(pictures)).mean((2, 3)))
        return out


@dataclass(frozen=True)
class Watermark:
    """A trained pair of networks as arrays.

    Attributes:
        design: its sizes.
        encoder, decoder: tensors by name.
        losses: ``float64 (steps, 2)`` mean squared errors of pictures and of messages.
    """

    design: Design
    encoder: Mapping[str, NDArray[np.generic]]
    decoder: Mapping[str, NDArray[np.generic]]
    losses: NDArray[np.float64]

    def encoding(self) -> Encoder:
        """The encoder, frozen, with the statistics of training: what else is in a batch changes nothing."""
        network = Encoder(self.design)
        load_state(network, self.encoder, "the watermark's encoder")
        return network.eval().requires_grad_(False)

    def decoding(self) -> Decoder:
        """The decoder, frozen likewise."""
        network = Decoder(self.design)
        load_state(network, self.decoder, "the watermark's decoder")
        return network.eval().requires_grad_(False)


def train(
    pictures: Images, design: Design, *, steps: int, image_weight: float, seed: int, name: str = "", patch: int = 48
) -> Watermark:
    """Encoder and decoder together: ``E[weight MSE(marked, picture) + MSE(read, message)]`` (Adam, one cycle to 0.01).

    Args:
        pictures: ``uint8 (n, h, w, 3)``.
        design: sizes.
        steps: of 32 pictures.
        image_weight: of the picture's error at the end; it rises to there geometrically from `LOUD`.
        seed: of weights, order and messages.
        name: of the watermark, for the seed: another name is a watermark of its own.
        patch: side of the patches that are learnt from, drawn at random where pictures are larger.
    """
    if steps < 1 or image_weight <= 0 or len(pictures) == 0:
        raise ParameterError("a watermark cannot be trained so", given=f"{steps} steps, weight {image_weight}, "
                             f"{len(pictures)} pictures", expected="1 or more of each, a weight above 0")  # fmt: skip
    encoder, decoder = Encoder(design), Decoder(design)
    both = nn.ModuleList([encoder, decoder])
    initialise(both, "watermark", name, design.bits, seed)
    with torch.no_grad():
        # At first nearly nothing is added: a picture that is lost in it teaches the decoder nothing.
        encoder.last.weight.mul_(0.3)
    both.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rng = seeds.rng("watermark", "order", name, design.bits, seed)
    optimiser = torch.optim.Adam(both.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    losses = np.zeros((steps, 2))
    for step in range(steps):
        shown = _patches(pictures, patch, rng)
        messages = torch.from_numpy(rng.integers(0, 2, (len(shown), design.bits)).astype(np.float32))
        after = encoder(shown, messages)
        picture, message = F.mse_loss(after, shown), F.mse_loss(decoder(after), messages)
        loss = LOUD * (image_weight / LOUD) ** (step / steps) * picture + message
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses[step] = float(picture.detach()), float(message.detach())
    return Watermark(design, _arrays(encoder), _arrays(decoder), losses)


def _patches(pictures: Images, side: int, rng: np.random.Generator) -> Tensor:
    n, height, width, _ = pictures.shape
    at = rng.integers(0, n, BATCH)
    top, left = (rng.integers(0, max(0, whole - side) + 1) for whole in (height, width))
    return tensor(pictures[at, top : top + side, left : left + side])


def _arrays(network: nn.Module) -> dict[str, NDArray[np.generic]]:
    return {k: v.detach().contiguous().numpy().copy() for k, v in network.state_dict().items()}


def tensor(pictures: Images) -> Tensor:
    """``uint8 (n, h, w, 3)`` as ``float32 (n, 3, h, w)`` in [0, 1]."""
    levels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    return levels.contiguous(memory_format=torch.channels_last)


def rounded(pictures: Tensor) -> Images:
    """What can be stored of pictures ``(n, 3, h, w)``: clipped to [0, 1] and rounded to 8 bits."""
    levels = (pictures.detach().clamp(0, 1) * 255).round()
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy()).astype(np.uint8)


def marked(watermark: Watermark, pictures: Images, messages: Bits, *, batch: int = 64) -> Images:
    """Watermarked pictures as they are stored.

    Args:
        watermark: trained.
        pictures: ``uint8 (n, h, w, 3)``.
        messages: ``bool (n, bits)``.
        batch: pictures at a time.
    """
    check_messages(watermark, pictures, messages)
    encoder, parts = watermark.encoding(), []
    with torch.inference_mode():
        for i in range(0, len(pictures), batch):
            said = torch.from_numpy(messages[i : i + batch].astype(np.float32))
            parts.append(rounded(encoder(tensor(pictures[i : i + batch]), said)))
    return np.concatenate(parts) if parts else pictures


def check_messages(watermark: Watermark, pictures: Images, messages: Bits) -> None:
    """Refuse messages that do not fit.

    Raises:
        ShapeError: their number is not that of the pictures, or their length not the watermark's.
    """
    expected = (len(pictures), watermark.design.bits)
    if messages.shape != expected or messages.dtype != np.bool_:
        raise ShapeError(
            "messages do not fit", given=f"{messages.dtype} {messages.shape}", expected=f"bool {expected}",
            do="draw one message for each picture with `messages`",
        )  # fmt: skip


def messages(count: int, bits: int, *names: str | int) -> Bits:
    """Random messages ``bool (count, bits)`` of a named seed."""
    drawn: Bits = seeds.rng("watermark", "messages", *names).integers(0, 2, (count, bits)).astype(bool)
    return drawn


def right_bits(watermark: Watermark, pictures: Images, messages: Bits, *, batch: int = 64) -> NDArray[np.float64]:
    """Share of each picture's bits that the decoder reads rightly ``(n,)``; one half is chance.

    Args:
        watermark: trained.
        pictures: ``uint8 (n, h, w, 3)`` that carry the messages.
        messages: ``bool (n, bits)``.
        batch: pictures at a time.
    """
    check_messages(watermark, pictures, messages)
    decoder = watermark.decoding()
    with torch.inference_mode():
        parts = [decoder(tensor(pictures[i : i + batch])) > 0.5 for i in range(0, len(pictures), batch)]
    read = torch.cat(parts).numpy() if parts else messages
    found: NDArray[np.float64] = (read == messages).mean(1)
    return found
