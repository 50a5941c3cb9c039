"""What the Python client and the napari plugin cost: prints one JSON object.

    python tools/measure.py IMAGE [--large] [--cpu]      (under a screen: xvfb-run -a ...)

Overhead: time of find_all from the call to the Labels layer, less the server's own time, with embeddings cached and not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

#: With --cpu, seconds of processor time of this process: what a quiet machine would take, on a busy one.
CLOCK = "process_time" if "--cpu" in sys.argv else "perf_counter"
clock = getattr(time, CLOCK)
CLICKS = [(289, 260), (397, 247), (141, 200)]


def import_seconds() -> float:
    code = f"import time; t = time.{CLOCK}(); import sampo_client; print(time.{CLOCK}() - t)"
    return statistics.median(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout) for _ in range(7))


def overheads(pixels: np.ndarray, repeats: int) -> list[dict[str, float]]:
    import sampo_client
    from napari_sampo.found import Found
    from napari_sampo.label_canvas import LabelCanvas

    rows = []
    with tempfile.TemporaryDirectory() as folder, sampo_client.connect(Path(folder) / "state", roots=[]) as session:
        for number in range(repeats):
            canvas, found = LabelCanvas(pixels.shape[1], pixels.shape[0]), Found()
            start = clock()
            objects = session.find_all(pixels, CLICKS, intent=f"measured {number}", pixel_size=0.5, on_objects=lambda held: canvas.put([f for f in held if f["id"] not in canvas]))
            answered = clock()
            found.take(canvas, objects, None, ["measured"])
            canvas.table()
            drawn = clock()
            rows.append({"objects": len(objects), "server_s": objects.seconds, "to_answer_s": answered - start, "to_layer_s": drawn - start, "overhead_s": drawn - start - (0 if CLOCK == "process_time" else objects.seconds)})
    return rows


def many_objects(count: int, side: int) -> dict[str, float]:
    import napari
    from napari.utils.colormaps import CyclicLabelColormap
    from qtpy.QtWidgets import QApplication

    from napari_sampo.label_canvas import LabelCanvas

    angle = np.linspace(0, 2 * np.pi, 33)
    across = int(np.ceil(np.sqrt(count)))
    step = side / across
    features: list[Any] = []
    for index in range(count):
        x, y = (index % across + 0.5) * step, (index // across + 0.5) * step
        ring = tuple((float(a), float(b)) for a, b in np.round(np.stack([x + 0.4 * step * np.cos(angle), y + 0.4 * step * np.sin(angle)], 1), 2))
        properties = {"classification": {"name": f"class {index % 3}", "color": (index % 3 * 80, 100, 200)}, "measurements": {"SAMPO score": 0.5}}
        features.append({"type": "Feature", "id": str(index), "geometry": {"type": "Polygon", "coordinates": (ring,)}, "properties": properties})
    viewer = napari.Viewer(show=True)
    start = clock()
    canvas = LabelCanvas(side, side)
    canvas.put(features)
    drawn = clock()
    table = canvas.table()
    tabled = clock()
    layer = viewer.add_labels(canvas.levels, multiscale=True, colormap=CyclicLabelColormap(colors=canvas.palette()), features=table)
    QApplication.processEvents()
    shown = clock()
    layer.refresh()
    QApplication.processEvents()
    refreshed = clock()
    viewer.close()
    return {"objects": count, "draw_s": drawn - start, "table_s": tabled - drawn, "layer_s": shown - tabled, "total_s": shown - start, "redraw_s": refreshed - shown}


def main() -> None:
    from PIL import Image

    tile = np.asarray(Image.open(sys.argv[1]).convert("RGB"))
    tiled = np.tile(tile, (9, 9, 1))
    result: dict[str, Any] = {"import_s": import_seconds(), "512": overheads(np.ascontiguousarray(tiled[:512, :512]), 4), "objects_100k": many_objects(100_000, 10_000)}
    if "--large" in sys.argv:
        result["4000"] = overheads(np.ascontiguousarray(tiled[:4000, :4000]), 2)
    print(json.dumps({key: value for key, value in result.items()}, indent=1, default=float))


if __name__ == "__main__":
    main()
