"""Channels as stains: which channel is what, guessed from names and colours, and fluorescence rendered as a brightfield picture.

The server's model knows brightfield. A nuclear channel rendered as haematoxylin is read by it like a stained section; a
marker rendered as DAB makes a multiplex image an immunohistochemistry image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Mapping, Optional, Sequence, Union

import numpy as np

Stain = Literal["haematoxylin", "eosin", "dab", "none"]
STAINS: tuple[Stain, ...] = ("haematoxylin", "eosin", "dab", "none")
#: How a picture is understood: RGB as it is, one grey brightfield channel, or a stain for each channel.
StainMap = Union[Literal["rgb", "brightfield"], tuple[Stain, ...]]

#: Optical density of R, G, B (Ruifrok and Johnston 2001; as in training/sampo_training/synthetic.py).
DENSITY: Mapping[str, np.ndarray] = {
    "haematoxylin": np.array([0.65, 0.70, 0.29], np.float32),
    "eosin": np.array([0.07, 0.99, 0.11], np.float32),
    "dab": np.array([0.27, 0.57, 0.78], np.float32),
}
#: Rendering of ../design "Fluorescence for nothing": intensity to the power GAMMA, times STRENGTH, as optical density.
GAMMA, STRENGTH = 0.7, 1.6
#: A trace of eosin lies over everything, as in a real section.
EOSIN_TRACE = 0.04
#: Percentiles of the whole picture that are 0 and 1.
LOW, HIGH = 1.0, 99.8

NUCLEAR = re.compile(r"dapi|hoechst|draq|nucle(us|i|ar)|\bdna\b|histone|\bh2b\b|h33342|sytox|syto\d|topro|to-pro|propidium|\bpi\b|h(a)?ematoxylin", re.I)
NOT_A_STAIN = re.compile(r"autofluor|\baf\b|background|blank|empty|bright ?field|\bbf\b|phase|\bdic\b|transmi", re.I)


@dataclass(frozen=True)
class Channel:
    """What is known of a channel: its name, and the name of its colour or colormap."""

    name: str = ""
    color: str = ""


def guess_stains(channels: Sequence[Channel], dark_background: bool = True) -> tuple[StainMap, str]:
    """A stain for each channel, and the reason in a sentence.

    The nuclear channel is known by its name (DAPI, Hoechst, DRAQ5, ...), else by a blue colour, else it is the first one; the
    first other channel that is no background becomes the marker (DAB); the rest is left out.
    """
    if len(channels) == 1 and not dark_background and not NUCLEAR.search(channels[0].name):
        return "brightfield", "one channel on a bright ground: taken as a grey brightfield picture"
    named = [index for index, channel in enumerate(channels) if NUCLEAR.search(channel.name)]
    blue = [index for index, channel in enumerate(channels) if re.search(r"blue|#?0000ff", channel.color, re.I) and not NOT_A_STAIN.search(channel.name)]
    if named:
        nuclear, why = named[0], f"“{channels[named[0]].name}” is a nuclear stain"
    elif blue:
        nuclear, why = blue[0], f"the blue channel {_called(channels, blue[0])} is taken as the nuclei"
    else:
        usable = [index for index, channel in enumerate(channels) if not NOT_A_STAIN.search(channel.name)] or [0]
        nuclear = usable[0]
        why = "one channel on a dark ground is taken as the nuclei" if len(channels) == 1 else f"no name tells the nuclei: {_called(channels, nuclear)} is taken"
    stains: list[Stain] = ["none"] * len(channels)
    stains[nuclear] = "haematoxylin"
    markers = [index for index, channel in enumerate(channels) if index not in named and index != nuclear and not NOT_A_STAIN.search(channel.name)]
    if markers:
        stains[markers[0]] = "dab"
        why += f"; {_called(channels, markers[0])} is shown to the model as a marker (DAB)"
    return tuple(stains), why


def _called(channels: Sequence[Channel], index: int) -> str:
    return f"“{channels[index].name}”" if channels[index].name else f"channel {index + 1}"


@dataclass(frozen=True)
class Rendering:
    """How stored channels become RGB: the stains, and for each channel the values that are 0 and 1."""

    stains: tuple[Stain, ...]
    limits: tuple[tuple[float, float], ...]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """[rows, columns, channels] of any number type to uint8 RGB; white where all is dark, NaN is dark."""
        density = np.empty((*values.shape[:2], 3), np.float32)
        density[:] = EOSIN_TRACE * DENSITY["eosin"]
        for index, (stain, (low, high)) in enumerate(zip(self.stains, self.limits)):
            if stain == "none":
                continue
            scaled = np.clip((np.nan_to_num(values[..., index].astype(np.float32), nan=low) - low) / max(high - low, 1e-12), 0, 1)
            density += (STRENGTH * scaled**GAMMA)[..., None] * DENSITY[stain]
        return (255 * np.exp(-density) + 0.5).astype(np.uint8)


def contrast_limits(sample: np.ndarray) -> tuple[float, float]:
    """The values that are 0 and 1, from values all over the picture: a nucleus must look the same in every tile."""
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return 0.0, 1.0
    # A mask has no percentiles, numbers have.
    finite = finite.astype(np.float64, copy=False)
    low, high = (float(value) for value in np.percentile(finite, (LOW, HIGH)))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low, low + 1.0)


def has_dark_background(sample: np.ndarray) -> bool:
    """Whether most of a picture lies nearer to its dark end: fluorescence, not a stained section."""
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return True
    low, middle, high = np.percentile(finite.astype(np.float64, copy=False), (0.5, 50, 99.5))
    return bool(middle - low <= (high - low) * 0.5)


def parse_stains(given: object, count: int, names: Sequence[str]) -> Optional[StainMap]:
    """A stain map as a user gives it: None or "auto", "rgb", "brightfield", a list, or a mapping of channel name or index.

    Raises ValueError that says what is not understood.
    """
    if given is None or given == "auto":
        return None
    if given in ("rgb", "brightfield"):
        return given  # type: ignore[return-value]
    if isinstance(given, str):
        given = [given]
    chosen: list[Stain] = ["none"] * count
    if isinstance(given, Mapping):
        for key, stain in given.items():
            if isinstance(key, str):
                if key not in names:
                    raise ValueError(f"no channel is called {key!r}; there are {', '.join(map(repr, names)) or 'no names'}")
                key = list(names).index(key)
            if not isinstance(key, int) or not 0 <= key < count:
                raise ValueError(f"there is no channel {key!r}: the image has {count}")
            chosen[key] = _stain(stain)
    else:
        given = list(given)  # type: ignore[call-overload]
        if len(given) != count:
            raise ValueError(f"{len(given)} stains were given for {count} channels")
        chosen = [_stain(stain) for stain in given]
    if "haematoxylin" not in chosen:
        raise ValueError("no channel is given as haematoxylin: the nuclei have to be in one")
    return tuple(chosen)


def _stain(given: object) -> Stain:
    text = "none" if given is None else str(given).lower().replace("hema", "haema")
    if text not in STAINS:
        raise ValueError(f"{given!r} is no stain; use one of {', '.join(STAINS)}")
    return text  # type: ignore[return-value]
