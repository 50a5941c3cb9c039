"""What may be handed in as an image: a path, an array, several levels of one picture, an OME-Zarr."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

from .array_image import ArrayImage, PlaneStack
from .errors import ImageProblem
from .errors_gen import FileNotFound
from .stains import Channel


@dataclass
class FileImage:
    """A file that the server reads itself."""

    path: str
    pixel_size: Optional[float] = None
    notes: list[str] = field(default_factory=list)


Image = Union[FileImage, ArrayImage]


def open_image(
    image: Any,
    *,
    pixel_size: Optional[float] = None,
    channel_axis: Optional[int] = None,
    channel_names: Sequence[str] = (),
    stains: object = None,
    name: Optional[str] = None,
    plane: Optional[Mapping[str, int]] = None,
) -> Image:
    """An image source for anything a user hands in.

    image: a path of a file or of an OME-Zarr folder; an array [rows, columns], [rows, columns, 3 or 4] (RGB) or, with
      `channel_axis`, of channels; a list of such arrays at falling resolutions; numpy, dask, zarr or anything that is sliced alike.
    pixel_size: µm per pixel. Without it the server takes the size in the file, or the model's own scale, with a warning.
    stains: "rgb", "brightfield", a stain for each channel, or a mapping of channel name to stain; guessed when left out.
    Raises ImageProblem, FileNotFound, MissingPackage.
    """
    if pixel_size is not None and not pixel_size > 0:
        raise ImageProblem(f"a pixel of {pixel_size!r} µm cannot be", hint="pixel_size is in µm per pixel, for example 0.25")
    if isinstance(image, (FileImage, ArrayImage)):
        return image
    if isinstance(image, (str, os.PathLike)):
        return _open_path(os.fspath(image), pixel_size, stains, plane)
    if hasattr(image, "attrs") and hasattr(image, "store") and not hasattr(image, "dtype"):
        root = getattr(getattr(image, "store", None), "root", None) or getattr(getattr(image, "store", None), "path", None)
        if root is not None:
            return _open_path(os.path.join(str(root), str(getattr(image, "path", ""))), pixel_size, stains, plane)
    levels = list(image) if isinstance(image, (list, tuple)) or type(image).__name__ == "MultiScaleData" else [image]
    for level in levels:
        if not hasattr(level, "shape") or not hasattr(level, "dtype"):
            raise ImageProblem(f"a {type(level).__name__} is no image", hint="give a path, an array, or a list of arrays of falling size")
    stacks = [_planes(level, channel_axis) for level in levels]
    if any(later.size[0] > earlier.size[0] for earlier, later in zip(stacks, stacks[1:])):
        raise ImageProblem(f"levels of widths {[stack.size[0] for stack in stacks]} do not fall", hint="give the full resolution first; channels are not levels: use channel_axis")
    channels = [Channel(str(channel_name)) for channel_name in channel_names]
    if channels and len(channels) != len(stacks[0].planes):
        raise ImageProblem(f"{len(channels)} channel names were given for {len(stacks[0].planes)} channels")
    return ArrayImage(stacks, name or "array", pixel_size, channels, stains)


def _open_path(path: str, pixel_size: Optional[float], stains: object, plane: Optional[Mapping[str, int]]) -> Image:
    if path.startswith(("http://", "https://", "s3://")):
        raise ImageProblem(f"{path} is not on this machine", hint="open it with zarr or dask and pass the array: only the regions needed are read")
    found = Path(path.removeprefix("file://")).expanduser().absolute()
    if not found.exists():
        raise FileNotFound(f"there is no file {found}")
    if found.is_dir():
        from .ome_zarr import open_ome_zarr

        return open_ome_zarr(found, stains=stains, pixel_size=pixel_size, plane=plane)
    if stains is not None:
        raise ImageProblem("stains are for arrays and OME-Zarr; the server reads a file as it is", hint="read the file (for example with tifffile) and pass the array")
    return FileImage(str(found), pixel_size)


def _planes(array: Any, channel_axis: Optional[int]) -> PlaneStack:
    shape = tuple(array.shape)
    if channel_axis is not None:
        if len(shape) != 3:
            raise ImageProblem(f"channel_axis is given, and the array has {len(shape)} axes, not 3", hint="choose one plane of a stack first")
        axis = channel_axis % 3
        return PlaneStack(tuple(_Channel(array, axis, index) for index in range(shape[axis])) if not _is_numpy(array) else tuple(array.take(index, axis) for index in range(shape[axis])))
    if len(shape) == 2:
        return PlaneStack((array,))
    if len(shape) == 3 and shape[2] in (3, 4):
        return PlaneStack((array,), rgb=True)
    hint = "say which axis holds the channels (channel_axis=0), or pass one plane" if len(shape) == 3 else "pass one plane: [rows, columns] or [rows, columns, 3]"
    raise ImageProblem(f"an array of shape {shape} is neither grey nor RGB", hint=hint)


def _is_numpy(array: Any) -> bool:
    import numpy

    return isinstance(array, numpy.ndarray)


class _Channel:
    """One channel of a lazy array, read by region."""

    def __init__(self, array: Any, axis: int, index: int) -> None:
        self._array, self._axis, self._index = array, axis, index
        self.shape = tuple(size for at, size in enumerate(array.shape) if at != axis)
        self.dtype = array.dtype
        self.name = getattr(array, "name", "")

    def __getitem__(self, region: Any) -> Any:
        places = list(region)
        places.insert(self._axis, self._index)
        return self._array[tuple(places)]
