"""Arrays in memory or on disk (numpy, dask, zarr) as images: only the regions the server asks for are read."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence

import numpy as np

from .errors import ImageProblem
from .pixels import Levels, output_size, resample, rgb_levels, to_bytes
from .stains import Channel, Rendering, StainMap, contrast_limits, guess_stains, has_dark_background, parse_stains

#: Pixels looked at for contrast limits and identity of an array that is not in memory: blocks of SAMPLE_BLOCK² px.
SAMPLE_BLOCK, SAMPLE_BLOCKS = 256, 16
SAMPLE_PIXELS = 1_000_000


def unreadable(error: BaseException) -> ImageProblem:
    """The array itself raised."""
    return ImageProblem(
        f"the image raised while it was read: {type(error).__name__}: {error}",
        hint="check that its file is still there and that the array computes; then search again",
    )


@dataclass(frozen=True)
class PlaneStack:
    """Channel planes of one picture at one resolution, each [rows, columns] or, for RGB, one [rows, columns, 3 or 4]."""

    planes: tuple[Any, ...]
    rgb: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        rows, columns = self.planes[0].shape[:2]
        return int(columns), int(rows)

    def read(self, x: int, y: int, width: int, height: int) -> np.ndarray:
        """[height, width, channels] in the stored type. Raises what the array raises."""
        parts = [np.asarray(plane[y : y + height, x : x + width]) for plane in self.planes]
        return parts[0][..., :3] if self.rgb else np.stack(parts, axis=-1)


@dataclass
class ArrayImage:
    """An image whose pixels this process holds or reads; the server asks for regions.

    `levels`: the same picture at falling resolutions, the first at full resolution. `pixel_size` in µm, None when unknown.
    """

    levels: Sequence[PlaneStack]
    name: str = "array"
    pixel_size: Optional[float] = None
    channels: Sequence[Channel] = ()
    stains: object = None
    notes: list[str] = field(default_factory=list)
    #: Told apart from other pictures; found out from the content when absent.
    identity: Optional[str] = None
    stain_map: StainMap = "rgb"
    #: What went wrong in the last read, for the message to the user.
    read_error: Optional[BaseException] = None

    def __post_init__(self) -> None:
        if not self.levels:
            raise ImageProblem("the image has no level", hint="give at least the full resolution")
        self.width, self.height = self.levels[0].size
        if self.width < 1 or self.height < 1:
            raise ImageProblem(f"the image is empty: {self.width} x {self.height}", hint="check how it was read")
        for level in self.levels:
            if any(not np.issubdtype(plane.dtype, np.number) and plane.dtype != np.bool_ or np.issubdtype(plane.dtype, np.complexfloating) for plane in level.planes):
                raise ImageProblem(f"an image of {level.planes[0].dtype} cannot be shown", hint="convert it to numbers")
        self._lock = threading.Lock()
        self._prepared: Optional[Rendering | Levels] = None
        self._uri = ""

    def prepare(self) -> None:
        """Looks at a sample of the picture: what is dark and bright in it, and a name that no other picture has. May read pixels.

        Raises ImageProblem, also for what the array raises.
        """
        with self._lock:
            if self._prepared is not None:
                return
            try:
                sample, digest = self._sample()
            except Exception as error:
                raise unreadable(error) from error
            self._prepared = self._understand(sample)
            digest.update(repr((self.width, self.height, self.stain_map, self._prepared)).encode())
            self._uri = f"array:{self.name}#{(self.identity or '') + digest.hexdigest()[:32]}"

    @property
    def uri(self) -> str:
        """The same for the same pixels shown in the same way, in another session too: the server keeps embeddings and judgements by it."""
        self.prepare()
        return self._uri

    def read(self, x: int, y: int, width: int, height: int, downsample: float) -> np.ndarray:
        """uint8 [round(height / downsample), round(width / downsample), 1 or 3]. Raises what the array raises."""
        self.prepare()
        columns, rows = output_size(width, height, downsample)
        level = self._level_for(downsample)
        sx, sy = level.size[0] / self.width, level.size[1] / self.height
        left, top = int(np.floor(x * sx)), int(np.floor(y * sy))
        right = max(left + 1, int(np.ceil(min(level.size[0], (x + width) * sx) - 1e-6)))
        bottom = max(top + 1, int(np.ceil(min(level.size[1], (y + height) * sy) - 1e-6)))
        try:
            stored = level.read(left, top, right - left, bottom - top)
        except Exception as error:
            self.read_error = error
            raise
        if isinstance(self._prepared, Rendering):
            # Stains mix light, not density, when pixels are averaged; at these scales the difference is below one grey value.
            return to_bytes(resample(self._prepared.apply(stored), columns, rows))
        shown = self._prepared.apply(stored)  # type: ignore[union-attr]
        return to_bytes(resample(shown, columns, rows))

    def _level_for(self, downsample: float) -> PlaneStack:
        best = self.levels[0]
        for level in self.levels:
            if self.width / level.size[0] <= downsample * 1.01:
                best = level if level.size[0] < best.size[0] else best
        return best

    def _sample(self) -> tuple[np.ndarray, "hashlib._Hash"]:
        """Values [n, channels] from all over the picture, and a digest: of all values in memory, of the sample otherwise."""
        digest = hashlib.sha1(usedforsecurity=False)
        full = self.levels[0]
        if all(isinstance(plane, np.ndarray) for plane in full.planes):
            for plane in full.planes:
                digest.update(np.ascontiguousarray(plane).data)
            step = max(1, int(np.ceil(np.sqrt(self.width * self.height / SAMPLE_PIXELS))))
            values = [np.asarray(plane[::step, ::step]) for plane in full.planes]
            stacked = values[0][..., :3] if full.rgb else np.stack(values, axis=-1)
            return stacked.reshape(-1, stacked.shape[-1]), digest
        for plane in full.planes:
            digest.update(repr((plane.shape, str(plane.dtype), str(getattr(plane, "name", "")))).encode())
        blocks = []
        for x, y, width, height in self._sample_places():
            block = full.read(x, y, width, height)
            digest.update(np.ascontiguousarray(block).data)
            blocks.append(block.reshape(-1, block.shape[-1]))
        if len(self.levels) > 1:
            small = self.levels[-1]
            if small.size[0] * small.size[1] <= 4 * SAMPLE_PIXELS:
                block = small.read(0, 0, *small.size)
                digest.update(np.ascontiguousarray(block).data)
                return block.reshape(-1, block.shape[-1]), digest
        return np.concatenate(blocks), digest

    def _sample_places(self) -> list[tuple[int, int, int, int]]:
        width, height = min(self.width, SAMPLE_BLOCK), min(self.height, SAMPLE_BLOCK)
        across = min(int(np.sqrt(SAMPLE_BLOCKS)), -(-self.width // width))
        down = min(int(np.sqrt(SAMPLE_BLOCKS)), -(-self.height // height))
        columns = np.linspace(0, self.width - width, across).astype(int)
        rows = np.linspace(0, self.height - height, down).astype(int)
        return [(int(x), int(y), width, height) for y in rows for x in columns]

    def _understand(self, sample: np.ndarray) -> "Rendering | Levels":
        level = self.levels[0]
        dtype = np.dtype(level.planes[0].dtype)
        if np.issubdtype(sample.dtype, np.floating) and not np.isfinite(sample).any():
            raise ImageProblem("the image holds no finite value", hint="check how it was read or computed")
        if level.rgb:
            self.stain_map = "rgb"
            levels = rgb_levels(sample, dtype)
            if levels.note:
                self.notes.append(levels.note)
            return levels
        channels = list(self.channels) or [Channel() for _ in level.planes]
        try:
            given = parse_stains(self.stains, len(channels), [channel.name for channel in channels])
        except ValueError as error:
            raise ImageProblem(str(error), hint='for example stains=["haematoxylin", "dab"], or leave it out to have it guessed') from error
        if given is None:
            given, why = guess_stains(channels, has_dark_background(sample[:, 0]))
            self.notes.append(why)
        if given == "rgb":
            if len(channels) != 3:
                raise ImageProblem(f'stains="rgb" needs three channels, not {len(channels)}', hint="give a stain for each channel")
            self.stain_map = given
            return rgb_levels(sample, dtype)
        if given == "brightfield":
            self.stain_map = given
            low, high = contrast_limits(sample[:, 0])
            return Levels(0, 255) if dtype == np.uint8 else Levels(min(low, 0.0), high)
        self.stain_map = given
        if np.issubdtype(sample.dtype, np.floating) and not np.isfinite(sample).all():
            self.notes.append("NaN and infinite values were read as dark")
        return Rendering(given, tuple(contrast_limits(sample[:, index]) for index in range(len(given))))
