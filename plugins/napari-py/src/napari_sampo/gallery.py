"""The review as a gallery: forty crops at once, the least sure first. A click turns one, Enter settles all."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from sampo_client.rasterize import bounds, rings_of
from sampo_client.results import SCORE, measurement

from .controller import Controller
from .label_canvas import ACCEPTED, REJECTED
from .look import button, hint
from .words import explain

#: Crops shown at once, in rows of COLUMNS.
PAGE, COLUMNS = 40, 8
#: Side of a crop on the screen, px, and how much around the object is shown, in sizes of the object.
SIDE, AROUND = 84, 2.2
ACCEPT_STYLE = "QToolButton { border: 3px solid #3ecf8e; border-radius: 4px; padding: 0; }"
REJECT_STYLE = "QToolButton { border: 3px solid #f25c54; border-radius: 4px; padding: 0; }"


def open_gallery(controller: Controller, parent: QWidget) -> None:
    """Fetches the page and opens the gallery on it."""
    picture = controller.current_picture()
    if picture is None:
        return
    source = controller.source(picture)

    def fetched(page: Any) -> None:
        features = list(page.features)
        controller.jobs.run(
            "crops", lambda _: [crop(source, feature) for feature in features],
            lambda crops: Gallery(controller, features, crops, parent).show(), lambda error: controller.say(*explain(error, "Reading crops")), short=True,
        )

    controller.judging.fetch_review(PAGE, fetched)


def crop(source: Any, *features: Mapping[str, Any]) -> tuple[np.ndarray, float, float, float]:
    """Pixels around objects, uint8 [SIDE, SIDE, 3], as the model sees them; and left, top (px) and px of the screen per px."""
    boxes = bounds(features)
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = int(np.clip(np.ceil(AROUND * max(right - left, bottom - top)), 24, min(source.width, source.height)))
    x = int(np.clip((left + right) / 2 - side / 2, 0, source.width - side))
    y = int(np.clip((top + bottom) / 2 - side / 2, 0, source.height - side))
    pixels = source.read(x, y, side, side, side / SIDE)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels), x, y, SIDE / side


def drawn(pixels: np.ndarray, x: float, y: float, zoom: float, feature: Mapping[str, Any]) -> QIcon:
    """A crop with the object's outline."""
    rows, columns = pixels.shape[:2]
    pixmap = QPixmap.fromImage(QImage(pixels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy())
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(255, 235, 60), 1.5))
    for ring in rings_of(feature["geometry"]):
        painter.drawPolyline(QPolygonF([QPointF((px - x) * zoom, (py - y) * zoom) for px, py in ring]))
    painter.end()
    return QIcon(pixmap)


class Gallery(QDialog):
    """One page of crops. All are taken for right until they are clicked."""

    def __init__(self, controller: Controller, features: list[Mapping[str, Any]], crops: list[Any], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Review: click what is wrong, Enter settles all")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        self.features = features
        self.wrong: set[str] = set()
        self.buttons: dict[str, QToolButton] = {}
        grid = QGridLayout()
        grid.setSpacing(4)
        for index, (feature, (pixels, x, y, zoom)) in enumerate(zip(features, crops)):
            made = QToolButton()
            made.setIcon(drawn(pixels, x, y, zoom, feature))
            made.setIconSize(QSize(SIDE, SIDE))
            made.setStyleSheet(ACCEPT_STYLE)
            made.setToolTip(f"score {measurement(feature, SCORE):.2f}: click to reject")
            made.clicked.connect(lambda *_, i=feature["id"]: self.turn(i))
            grid.addWidget(made, index // COLUMNS, index % COLUMNS)
            self.buttons[feature["id"]] = made
        inner = QWidget()
        inner.setLayout(grid)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        rows = QVBoxLayout(self)
        rows.addWidget(QLabel("<b>Green: right. Red: wrong.</b> Click a nucleus to turn it."))
        rows.addWidget(scroll, 1)
        self.count = hint()
        ends = QHBoxLayout()
        ends.addWidget(self.count, 1)
        ends.addWidget(button("Reject all", "Turns all to wrong.", lambda: self.turn_all(True)))
        ends.addWidget(button("Accept all", "Turns all to right.", lambda: self.turn_all(False)))
        settle = button("Settle (Enter)", "Stores these judgements.", self.accept, primary=True)
        settle.setDefault(True)
        ends.addWidget(settle)
        rows.addLayout(ends)
        self.resize(COLUMNS * (SIDE + 16) + 40, 5 * (SIDE + 16) + 110)
        self._told()

    def turn(self, object_id: str) -> None:
        """Right becomes wrong, and back."""
        self.wrong ^= {object_id}
        self.buttons[object_id].setStyleSheet(REJECT_STYLE if object_id in self.wrong else ACCEPT_STYLE)
        self._told()

    def turn_all(self, wrong: bool) -> None:
        for object_id in list(self.buttons):
            if (object_id in self.wrong) != wrong:
                self.turn(object_id)

    def _told(self) -> None:
        self.count.setText(f"{len(self.features) - len(self.wrong)} right · {len(self.wrong)} wrong")

    def accept(self) -> None:
        """Stores the judgements, all in one."""
        self._controller.judging.judge({i: REJECTED if i in self.wrong else ACCEPTED for i in self.buttons})
        self._controller.judging.end_review()
        self._controller.say("note", f"Judged: {self.count.text()}.")
        super().accept()
