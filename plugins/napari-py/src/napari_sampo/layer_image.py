"""Image layers as an image of the client: RGB, one channel, or several layers as channels; any level, one plane."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from sampo_client import ArrayImage, ImageProblem
from sampo_client.array_image import PlaneStack
from sampo_client.stains import Channel

from .coordinates import image_size


class Refusal(Exception):
    """Why something cannot be done now, and what to do, in words for the user."""


def image_layers(viewer: Any) -> list[Any]:
    """The visible and hidden image layers, from the top."""
    from napari.layers import Image, Labels

    return [layer for layer in reversed(viewer.layers) if isinstance(layer, Image) and not isinstance(layer, Labels)]


def chosen_layer(viewer: Any) -> Any:
    """The image layer to work on: the active one, else the topmost visible one. Raises Refusal."""
    images = image_layers(viewer)
    active = viewer.layers.selection.active
    if active in images:
        return active
    if not images:
        raise Refusal("Open an image first: SAMPO looks for nuclei in an image layer.")
    return next((layer for layer in images if layer.visible), images[0])


def channel_layers(viewer: Any, layer: Any) -> list[Any]:
    """The layers that are channels of one picture with this one: grey layers of its size and place, in layer order."""
    if layer.rgb:
        return [layer]
    same = [
        other
        for other in reversed(image_layers(viewer))
        if not other.rgb and image_size(other) == image_size(layer) and np.allclose(other.scale[-2:], layer.scale[-2:]) and np.allclose(other.translate[-2:], layer.translate[-2:])
    ]
    return [other for other in same if other is layer or other.visible]


def check_view(viewer: Any, layer: Any) -> None:
    """Raises Refusal when the viewer shows what cannot be clicked."""
    if viewer.dims.ndisplay != 2:
        raise Refusal("SAMPO works in the 2D view. Press Ctrl+Y, or the cube button below the layer list, to leave 3D.")
    order = tuple(viewer.dims.order[-2:])
    if order != (viewer.dims.ndim - 2, viewer.dims.ndim - 1):
        raise Refusal("The axes are rolled or transposed. Press Ctrl+E until rows and columns are shown, then try again.")
    width, height = image_size(layer)
    if width < 16 or height < 16:
        raise Refusal(f"“{layer.name}” is {width} x {height} px as shown: too small to hold nuclei.")


def plane_index(viewer: Any, layer: Any) -> tuple[int, ...]:
    """The index of the plane shown, along the layer's axes before rows and columns."""
    spatial = layer.ndim
    lead = spatial - 2
    if lead <= 0:
        return ()
    place = np.asarray(layer.world_to_data([float(value) for value in viewer.dims.point]), dtype=float)[-spatial:][:lead]
    full = layer.data[0] if layer.multiscale else layer.data
    return tuple(int(np.clip(np.round(value), 0, size - 1)) for value, size in zip(place, full.shape))


def layer_image(
    viewer: Any, layers: Sequence[Any], pixel_size: Optional[float] = None, stains: object = None
) -> ArrayImage:
    """The plane shown of these layers as one image; they are channels when there are several.

    Reads no pixel yet. Raises ImageProblem for numbers that are no picture.
    """
    first = layers[0]
    plane = plane_index(viewer, first)
    channels = [Channel(str(layer.name), colormap_name(layer)) for layer in layers]
    per_layer = [list(layer.data) if layer.multiscale else [layer.data] for layer in layers]
    depth = min(len(levels) for levels in per_layer)
    stacks = []
    for level in range(depth):
        planes = tuple(Plane(levels[level], plane if layer is first else plane_index(viewer, layer), layer.rgb) for layer, levels in zip(layers, per_layer))
        stacks.append(PlaneStack(planes if not _in_memory(planes) else tuple(planned[:, :] for planned in planes), rgb=bool(first.rgb)))
    path = getattr(getattr(first, "source", None), "path", None)
    name = " + ".join(str(layer.name) for layer in layers) if path is None else str(path)
    if any(np.issubdtype(stack.planes[0].dtype, np.complexfloating) for stack in stacks):
        raise ImageProblem(f"“{first.name}” holds complex numbers", hint="show their magnitude in a layer of its own")
    return ArrayImage(stacks, name, pixel_size, () if first.rgb else channels, None if first.rgb else stains, [], str(plane) if plane else "")


def _in_memory(planes: Sequence["Plane"]) -> bool:
    return all(isinstance(plane.array, np.ndarray) and not isinstance(plane.array, np.memmap) for plane in planes)


class Plane:
    """[rows, columns] or [rows, columns, 3 or 4] of an array with more axes, read by region."""

    def __init__(self, array: Any, lead: tuple[int, ...], rgb: bool) -> None:
        self.array, self._lead = array, lead
        self.shape = tuple(array.shape[len(lead) :])
        self.dtype = np.dtype(array.dtype)
        self.name = f"{getattr(array, 'name', '')}{lead}"

    def __getitem__(self, region: Any) -> np.ndarray:
        return np.asarray(self.array[(*self._lead, *region)])


def colormap_name(layer: Any) -> str:
    """The name of a layer's colormap, or what its brightest colour is called."""
    colormap = getattr(layer, "colormap", None)
    name = str(getattr(colormap, "name", ""))
    if name and not name.startswith("["):
        return name
    colors = np.asarray(getattr(colormap, "colors", [[1, 1, 1, 1]]), dtype=float)
    red, green, blue = colors[-1][:3]
    return "blue" if blue > max(red, green) + 0.3 else ""
