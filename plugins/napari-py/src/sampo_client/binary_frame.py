"""Binary frames: 4 bytes little-endian header length, the header as JSON, the pixels (docs/connecting.md)."""

from __future__ import annotations

import json
import struct

import numpy as np


def encode_pixels(blob: str, pixels: np.ndarray) -> bytes:
    """The frame of raw pixels. `pixels`: uint8, [height, width, channels] with 1 to 4 channels."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4:
        raise ValueError(f"pixels are uint8 [height, width, 1 to 4], not {pixels.dtype} {pixels.shape}")
    height, width, channels = pixels.shape
    header = json.dumps({"blob": blob, "encoding": "raw", "width": width, "height": height, "channels": channels}).encode()
    return b"".join((struct.pack("<I", len(header)), header, np.ascontiguousarray(pixels).data))
