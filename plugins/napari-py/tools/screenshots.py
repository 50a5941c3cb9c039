"""Runs the plugin in a real napari window and takes the pictures of docs/napari.md.

    python tools/screenshots.py FOLDER [STATE]     (on Linux without a screen: xvfb-run -s "-screen 0 1500x1000x24" ...)
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np

CLICKS = ((289, 260), (397, 247), (141, 200))


def main(folder: Path, state: Path) -> None:
    import napari
    from PIL import Image
    from qtpy.QtWidgets import QApplication

    from sampo_client.rasterize import bounds

    from napari_sampo.candidates import Candidates
    from napari_sampo.gallery import Gallery
    from napari_sampo.widget import SampoWidget

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1480, 960)
    viewer.open_sample("napari-sampo", "breast")
    widget = SampoWidget(viewer)
    viewer.window.add_dock_widget(widget, name="SAMPO", area="right")
    controller = widget.controller
    controller.bridge.options = {"state": state, "roots": []}

    def wait(condition: Callable[[], Any], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited too long; the panel says: {controller.last_message}")
            QApplication.processEvents()
            time.sleep(0.01)

    def settle(seconds: float = 0.6) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end)

    def shot(name: str, window: Any = None) -> None:
        settle()
        path = str(folder / f"napari-{name}.png")
        if window is None:
            viewer.window.screenshot(path, canvas_only=False, flash=False)
        else:
            window.grab().save(path)
        print(name, "|", *controller.last_message)

    image = viewer.layers["breast"]
    settle(1)
    viewer.reset_view()
    shot("start")
    controller.connect()
    controller.choose_intent("Lymphocyte", (20, 60, 220))
    widget.intent.click.setChecked(True)
    for x, y in CLICKS:
        controller.click(image.data_to_world((y - 0.5, x - 0.5)))
    shot("clicked")
    controller.settings.extent = "layer"
    controller.searching.find()
    wait(lambda: controller.running is None and controller.last_message[1].startswith("Found"))
    shot("found")
    controller.judging.review_next()
    wait(lambda: controller.judging.reviewing)
    shot("review")
    labelled = json.loads((Path(__file__).parents[3] / "models/demo/points.json").read_text())["points"]

    def is_lymphocyte(object_id: str) -> bool:
        """As the labels of the tile say: the judgements of a user who knows."""
        left, top, right, bottom = bounds([controller.picture().canvas.feature(object_id)])[0]
        inside = [point["class"] for point in labelled if left <= point["x"] < right and top <= point["y"] < bottom]
        return "lymphocyte" in inside

    for _ in range(8):
        controller.judging.judge_current(is_lymphocyte(controller.judging.reviewing[0]))
        settle(0.1)
    controller.judging.end_review()
    widget.judge.candidates.click()
    wait(lambda: widget.judge.findChildren(Candidates))
    candidates = widget.judge.findChildren(Candidates)[0]
    shot("candidates", candidates)
    candidates.close()
    widget.judge.gallery.click()
    wait(lambda: widget.judge.findChildren(Gallery))
    gallery = widget.judge.findChildren(Gallery)[0]
    for object_id in list(gallery.buttons):
        if not is_lymphocyte(object_id):
            gallery.turn(object_id)
    shot("gallery", gallery)
    gallery.accept()
    wait(lambda: controller.intent() and controller.intent().judgements > 20)
    viewer.reset_view()
    controller.refining.refine()
    wait(lambda: widget.bar.maximum() == 100 and widget.bar.value() > 20 and controller.running)
    shot("refining")
    wait(lambda: controller.running is None)
    shot("refined")
    if controller.refining.refinement is not None:
        controller.refining.revert()
        wait(lambda: controller.running is None and controller.last_message[1].startswith("Reverted"))

    tests = Path(__file__).parents[1] / "tests/data"
    viewer.layers.clear()
    # napari 0.9.2 on a software GL ends when layers are added before the removal of others was drawn.
    settle(1)
    microns = {"units": ("micrometer", "micrometer")} if hasattr(image, "units") else {}
    viewer.add_image(np.asarray(Image.open(tests / "dapi.png")), name="DAPI", colormap="bop blue", scale=(0.3225, 0.3225), **microns)
    viewer.reset_view()
    controller.choose_intent("Nucleus", (230, 159, 0))
    settle()
    truth = np.asarray(Image.open(tests / "dapi_instances.png"))
    for value in np.unique(truth[150:350, 150:350])[1:4]:
        controller.click(viewer.layers["DAPI"].data_to_world(np.argwhere(truth == value).mean(axis=0)))
    controller.searching.find()
    wait(lambda: controller.running is None and controller.last_message[1].startswith("Found"))
    shot("fluorescence")
    controller.close()
    viewer.close()


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    main(out, Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "state")
