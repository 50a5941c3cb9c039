"""OME-Zarr (NGFF 0.4 and 0.5, Zarr 2 and 3 stores) as an image, through the zarr package."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

from .array_image import ArrayImage, PlaneStack
from .errors import ImageProblem, MissingPackage
from .stains import Channel

#: µm per unit, for the units that NGFF names and people use.
MICRONS = {"angstrom": 1e-4, "nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6}


def open_ome_zarr(path: "os.PathLike[str] | str", *, stains: object = None, pixel_size: Optional[float] = None, plane: Mapping[str, int] | None = None) -> ArrayImage:
    """The multiscale picture of a store.

    `plane`: index along other axes, by name, for example {"z": 3}; 0 when left out, which is noted when there are more.
    Raises ImageProblem for a store that is no OME-Zarr, MissingPackage without zarr.
    """
    try:
        import zarr
    except ImportError as error:
        raise MissingPackage("zarr is not installed, and this is an OME-Zarr", hint="pip install zarr") from error
    path = os.path.abspath(path)
    try:
        group = zarr.open_group(path, mode="r")
    except Exception as error:  # zarr's own errors differ between its versions
        raise ImageProblem(f"{path} is no Zarr group: {type(error).__name__}: {error}", hint="give the folder that holds .zattrs or zarr.json") from error
    attributes = dict(group.attrs)
    metadata = attributes.get("ome", attributes)
    multiscales = metadata.get("multiscales")
    if not multiscales:
        inside = "its series 0 is at /0" if "bioformats2raw.layout" in metadata else "it may hold a plain array: open that with zarr and pass it"
        raise ImageProblem(f"{path} holds no multiscales: it is no OME-Zarr image", hint=inside)
    return _image(group, multiscales[0], metadata.get("omero") or {}, os.path.basename(path), f"file:{path}", stains, pixel_size, dict(plane or {}))


def _image(group: Any, multiscale: Mapping[str, Any], omero: Mapping[str, Any], name: str, identity: str, stains: object, pixel_size: Optional[float], plane: dict[str, int]) -> ArrayImage:
    arrays = [group[dataset["path"]] for dataset in multiscale["datasets"]]
    axes = [axis if isinstance(axis, str) else axis["name"] for axis in multiscale.get("axes", ["t", "c", "z", "y", "x"])]
    if len(axes) != arrays[0].ndim or axes[-2:] != ["y", "x"]:
        raise ImageProblem(f"the axes {axes} do not fit an array of {arrays[0].ndim} axes ending in y, x", hint="open the array with zarr and pass [rows, columns] planes")
    notes: list[str] = []
    unknown = set(plane) - set(axes[:-2]) - {"c"}
    if unknown:
        raise ImageProblem(f"the image has no axis {', '.join(sorted(unknown))}", hint=f"its axes are {', '.join(axes)}")
    for axis, count in zip(axes[:-2], arrays[0].shape[:-2]):
        if axis == "c":
            continue
        index = plane.get(axis, 0)
        if not 0 <= index < count:
            raise ImageProblem(f"{axis} = {index} lies outside 0 to {count - 1}", hint="choose a plane that is there")
        if count > 1 and axis not in plane:
            notes.append(f"of {count} planes along {axis} the first is used")
    described = [item for item in omero.get("channels", []) if isinstance(item, dict)]
    channels = arrays[0].shape[axes.index("c")] if "c" in axes else 1
    levels = [PlaneStack(tuple(_Plane(array, tuple(channel if axis == "c" else plane.get(axis, 0) for axis in axes[:-2])) for channel in range(channels))) for array in arrays]
    known = [Channel(str(described[index].get("label", "")), str(described[index].get("color", ""))) if index < len(described) else Channel() for index in range(channels)]
    stamp = repr([plane.get(axis, 0) for axis in axes[:-2] if axis != "c"])
    return ArrayImage(levels, name, pixel_size or _pixel_size(multiscale, axes, notes), known, stains, notes, identity + stamp)


class _Plane:
    """One [rows, columns] plane of an array of more axes, read by region."""

    def __init__(self, array: Any, lead: tuple[int, ...]) -> None:
        self._array, self._lead = array, lead
        self.shape, self.dtype = tuple(array.shape[-2:]), array.dtype

    def __getitem__(self, region: Any) -> Any:
        return self._array[(*self._lead, *region)]


def _pixel_size(multiscale: Mapping[str, Any], axes: list[str], notes: list[str]) -> Optional[float]:
    """µm per pixel along x of the full resolution."""
    scale = [1.0] * len(axes)
    steps = [*multiscale["datasets"][0].get("coordinateTransformations", []), *multiscale.get("coordinateTransformations", [])]
    found = False
    for step in steps:
        if step.get("type") == "scale":
            scale = [have * float(value) for have, value in zip(scale, step["scale"])]
            found = True
    described = multiscale.get("axes", [])
    unit = described[-1].get("unit") if described and isinstance(described[-1], dict) else None
    if not found or unit not in MICRONS:
        if found and unit is not None:
            notes.append(f"the unit {unit!r} of x is not a length that is known: the pixel size is unknown")
        return None
    x, y = scale[-1] * MICRONS[unit], scale[-2] * MICRONS.get(described[-2].get("unit", unit), 1.0)
    if abs(x - y) > 0.01 * max(x, y):
        notes.append(f"pixels are not square: {x:g} x {y:g} µm; their mean is used")
    return (x + y) / 2
