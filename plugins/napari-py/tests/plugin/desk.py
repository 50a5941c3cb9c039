"""The viewer, the panel, and what a test does with them."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

from demo import CLICKS, DEMO
from napari_sampo.widget import SampoWidget


def new_desk(viewer: Any, options: dict[str, Any]) -> "Desk":
    """A window with the panel; `options` are those of sampo_client.connect."""
    widget = SampoWidget(viewer)
    viewer.window.add_dock_widget(widget, name="SAMPO", area="right")
    widget.controller.bridge.options = options
    return Desk(viewer, widget)


class Desk:
    """The viewer, the panel, its controller, and what a test does with them."""

    def __init__(self, viewer: Any, widget: Any) -> None:
        self.viewer, self.widget, self.controller = viewer, widget, widget.controller
        self.said: list[tuple[str, str]] = []
        self.controller.said.connect(lambda level, text: self.said.append((level, text)))

    def wait(self, condition: Callable[[], Any], seconds: float = 60) -> None:
        """Turns the event loop until something holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s; the panel said {self.said[-3:]}"
            QApplication.processEvents()
            time.sleep(0.003)

    def idle(self, seconds: float = 0.2) -> None:
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def wait_said(self, part: str, seconds: float = 60) -> tuple[str, str]:
        """Waits until the panel has said something, and returns the level and the sentence."""
        self.wait(lambda: any(part in text for _, text in self.said), seconds)
        return next((level, text) for level, text in reversed(self.said) if part in text)

    def click(self, *places: tuple[float, float], positive: bool = True, layer: str = "breast") -> None:
        """Clicks at x, y in image px."""
        for x, y in places:
            self.controller.click(self.viewer.layers[layer].data_to_world((y - 0.5, x - 0.5)), positive)

    def find(self, extent: str = "layer", intent: str = "Lymphocyte") -> None:
        """Finds all and waits for the end."""
        if self.controller.settings.intent != intent:
            self.controller.choose_intent(intent, (20, 60, 220))
        self.said.clear()
        self.controller.searching.find(extent)
        self.wait_said("Found")
        self.wait(lambda: self.controller.running is None)

    def open_breast(self, **settings: Any) -> Any:
        """The bundled tile as a user opens it."""
        with Image.open(DEMO / "breast.png") as image:
            pixels = np.asarray(image.convert("RGB"))
        return self.viewer.add_image(pixels, **{"name": "breast", "rgb": True, "scale": (0.5, 0.5), **settings})

    def found_breast(self) -> Any:
        """The tile with three clicks, searched."""
        layer = self.open_breast()
        self.controller.choose_intent("Lymphocyte", (20, 60, 220))
        self.click(*CLICKS)
        self.find()
        return layer
