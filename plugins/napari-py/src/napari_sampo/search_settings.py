"""What the panel is set to, without the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

VIEW, LAYER, SHAPE = "view", "layer", "shape"


@dataclass
class Settings:
    """Everything a user can set."""

    intent: str = ""
    color: Optional[tuple[int, int, int]] = None
    #: µm per pixel as the user typed it; None takes the layer's.
    pixel_size: Optional[float] = None
    #: A stain for each channel as the user chose it; None guesses.
    stains: Optional[tuple[str, ...]] = None
    extent: str = VIEW
    threshold: Optional[float] = None
    live: bool = False
    refine_seconds: Optional[float] = None
