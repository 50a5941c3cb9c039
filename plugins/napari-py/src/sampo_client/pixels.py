"""Pixels as the server wants them: 8 bit, resampled to the size asked for. Only numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from .errors import ImageProblem


def output_size(width: int, height: int, downsample: float) -> tuple[int, int]:
    """Columns and rows of a region at a downsample, rounded half up as the server does, at least 1."""
    return max(1, math.floor(width / downsample + 0.5)), max(1, math.floor(height / downsample + 0.5))


def resample(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Brings [rows, columns, channels] to [height, width, channels]: area average when smaller, bilinear when larger.

    Returns the array itself when it has the size already, else float32.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    return _resample_axis(_resample_axis(pixels.astype(np.float32, copy=False), height, 0), width, 1)


def _resample_axis(pixels: np.ndarray, size: int, axis: int) -> np.ndarray:
    have = pixels.shape[axis]
    if have == size:
        return pixels
    moved = np.moveaxis(pixels, axis, 0)
    if have % size == 0:
        averaged = moved.reshape(size, have // size, *moved.shape[1:]).mean(axis=1, dtype=np.float32)
        return np.moveaxis(averaged, 0, axis)
    if size < have:
        # The running sum is piecewise linear between pixel edges, so its differences are exact averages over any interval.
        total = np.concatenate([np.zeros((1, *moved.shape[1:])), np.cumsum(moved, axis=0, dtype=np.float64)])
        edges = np.arange(size + 1) * (have / size)
        below = np.minimum(edges.astype(np.intp), have - 1)
        part = (edges - below).reshape(-1, *([1] * (moved.ndim - 1)))
        at_edges = total[below] * (1 - part) + total[below + 1] * part
        out = np.diff(at_edges, axis=0) * (size / have)
    else:
        centres = np.clip((np.arange(size) + 0.5) * (have / size) - 0.5, 0, have - 1)
        below = np.minimum(centres.astype(np.intp), max(have - 2, 0))
        above = np.minimum(below + 1, have - 1)
        part = (centres - below).reshape(-1, *([1] * (moved.ndim - 1)))
        out = moved[below] * (1 - part) + moved[above] * part
    return np.moveaxis(out.astype(np.float32), 0, axis)


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Values of 0 to 255 as uint8, rounded; NaN becomes 0."""
    if values.dtype == np.uint8:
        return values
    return np.clip(np.nan_to_num(values, nan=0.0) + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Levels:
    """Maps stored values to 0 to 255: what is 0, what is 255, and how that was found out."""

    black: float
    white: float
    note: Optional[str] = None

    def apply(self, values: np.ndarray) -> np.ndarray:
        if values.dtype == np.uint8 and self.black == 0 and self.white == 255:
            return values
        return (values.astype(np.float32) - self.black) * (255.0 / (self.white - self.black))


def rgb_levels(sample: np.ndarray, dtype: np.dtype) -> Levels:
    """What is white in an RGB picture of a type of numbers. `sample`: values from all over the picture.

    The picture's contrast is not stretched: an empty slide must stay white. Raises ImageProblem for numbers that are no
    brightness.
    """
    if dtype == np.bool_:
        return Levels(0, 1)
    if dtype == np.uint8:
        return Levels(0, 255)
    finite = sample[np.isfinite(sample)] if np.issubdtype(dtype, np.floating) else sample.reshape(-1)
    if finite.size == 0:
        raise ImageProblem("the image holds no finite value", hint="check how it was read or computed")
    low, high = float(finite.min()), float(finite.max())
    if np.issubdtype(dtype, np.floating):
        bad = finite.size < sample.size
        nan = "; NaN was read as black" if bad else ""
        if low >= -0.001 and high <= 1.001:
            return Levels(0, 1, f"brightness was taken as 0 to 1{nan}")
        if low >= -0.5 and high <= 255.5:
            return Levels(0, 255, f"brightness was taken as 0 to 255{nan}")
        raise ImageProblem(f"an RGB image of floats holds {low:g} to {high:g}", hint="scale it to 0 to 1, or to 8 bit")
    if low < 0:
        raise ImageProblem(f"an RGB image holds negative values (down to {low:g})", hint="scale it to 8 bit, or to 0 to 1")
    for bits in (8, 10, 12, 14, 16, 32):
        if high < 2**bits:
            return Levels(0, 2**bits - 1, f"brightness was taken as {bits} bit (largest value seen {high:g})")
    raise ImageProblem(f"an RGB image holds values up to {high:g}", hint="scale it to 8 bit, or to 0 to 1")
