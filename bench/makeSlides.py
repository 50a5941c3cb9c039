"""Writes the slides that bench/slides.ts reads: the test fixture's picture tiled to SIZE x SIZE px, in several formats.

pip install tifffile imagecodecs pillow numpy zarr wsidicomizer, then: python bench/makeSlides.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import tifffile
import zarr
from numcodecs import Blosc
from PIL import Image
from wsidicom.codec.settings import Channels, JpegSettings, Subsampling
from wsidicomizer import WsiDicomizer

SIZE = 4096
OUT = Path(sys.argv[1])
FIXTURE = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "images" / "brca-train.png"


def svs(name: str, picture: np.ndarray, **compression) -> None:
    with tifffile.TiffWriter(OUT / name) as tiff:
        for step in (1, 4):
            level = np.ascontiguousarray(picture[::step, ::step])
            height, width = level.shape[:2]
            description = (
                f"Aperio Image Library v12.0.15\r\n{SIZE}x{SIZE} [0,0 {SIZE}x{SIZE}] (256x256) -> {width}x{height}"
                " Q=90|AppMag = 20|MPP = 0.5000"
            )
            tiff.write(level, tile=(256, 256), photometric="rgb", description=description, metadata=None, **compression)


def ndpi(picture: np.ndarray) -> None:
    tags = [(271, 2, 10, "Hamamatsu", True), (272, 2, 10, "NanoZoomer", True), (65420, 4, 1, 1, True),
            (65421, 11, 1, 20.0, True), (65422, 9, 1, 0, True), (65423, 9, 1, 0, True), (65424, 9, 1, 0, True)]
    tifffile.imwrite(OUT / "slide.ndpi", picture, rowsperstrip=SIZE, photometric="rgb", compression="jpeg",
                     compressionargs={"level": 90}, resolution=(20000, 20000), resolutionunit="CENTIMETER",
                     extratags=tags, metadata=None)


def ome_zarr(name: str, picture: np.ndarray, zarr_format: int, **compression) -> None:
    group = zarr.open_group(OUT / name, mode="w", zarr_format=zarr_format)
    array = group.create_array("0", shape=(3, SIZE, SIZE), chunks=(3, 512, 512), dtype="uint8", **compression)
    array[:] = np.moveaxis(picture, -1, 0)
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "micrometer"} for n in "yx")]
    scale = [{"type": "scale", "scale": [1, 0.5, 0.5]}]
    image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    omero = {"channels": [{"label": label} for label in ("Red", "Green", "Blue")]}
    if zarr_format == 2:
        group.attrs.update({"multiscales": [{"version": "0.4", **image}], "omero": omero})
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [image], "omero": omero}


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    tile = np.array(Image.open(FIXTURE).convert("RGB"))
    times = -(-SIZE // min(tile.shape[:2]))
    picture = np.ascontiguousarray(np.tile(tile, (times, times, 1))[:SIZE, :SIZE])
    svs("jpeg2000.svs", picture, compression="APERIO_JP2000_RGB", compressionargs={"level": 80})
    svs("jpeg.svs", picture, compression="jpeg", compressionargs={"level": 90})
    ndpi(picture)
    ome_zarr("blosc.zarr", picture, 2, compressors=Blosc(cname="lz4"))
    ome_zarr("zstd.zarr", picture, 3)
    source = OUT / "source.tif"
    tifffile.imwrite(source, picture, tile=(512, 512), photometric="rgb", resolution=(20000, 20000),
                     resolutionunit="CENTIMETER", metadata=None)
    (OUT / "dicom").mkdir(exist_ok=True)
    WsiDicomizer.convert(source, output_path=OUT / "dicom", tile_size=512, force_transcoding=True,
                         encoding=JpegSettings(bits=8, channels=Channels.YBR, quality=90, subsampling=Subsampling.R420))
    source.unlink()
    next((OUT / "dicom").glob("*.dcm")).rename(OUT / "dicom" / "slide.dcm")
