"""The outlines that the model has for each click, side by side: the user says which is the best."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from .controller import Controller
from .gallery import SIDE, crop, drawn
from .words import explain


def open_candidates(controller: Controller, parent: QWidget) -> None:
    """Reads the crops on a worker thread and opens the window."""
    picture = controller.current_picture()
    objects = picture.found.latest() if picture is not None else None
    if picture is None or objects is None:
        return
    source = controller.source(picture)
    rows = [one for one in objects.candidates if sum("feature" in mask for mask in one["masks"]) > 1]
    controller.jobs.run(
        "candidates",
        lambda _: [_row(source, one["masks"]) for one in rows],
        lambda crops: Candidates(controller, rows, crops, parent).show(), lambda error: controller.say(*explain(error, "Reading crops")), short=True,
    )


def _row(source: Any, masks: list[Any]) -> list[Any]:
    """Index, mask and crop of each outline; the same crop, so that they can be compared."""
    outlined = [(index, mask) for index, mask in enumerate(masks) if "feature" in mask]
    pixels = crop(source, *(mask["feature"] for _, mask in outlined))
    return [(index, mask, pixels) for index, mask in outlined]


class Candidates(QDialog):
    """A row for each click, a column for each outline."""

    def __init__(self, controller: Controller, rows: list[Any], crops: list[list[Any]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which outline is better?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        self.buttons: dict[tuple[str, int], QToolButton] = {}
        grid = QGridLayout()
        for row, (candidate, masks) in enumerate(zip(rows, crops)):
            grid.addWidget(QLabel(f"Click {row + 1}"), row, 0)
            for column, (index, mask, (pixels, x, y, zoom)) in enumerate(masks, start=1):
                made = QToolButton()
                made.setIcon(drawn(pixels, x, y, zoom, mask["feature"]))
                made.setIconSize(QSize(SIDE, SIDE))
                made.setCheckable(True)
                made.setToolTip(f"predicted overlap {mask['score']:.2f}")
                made.clicked.connect(lambda *_, p=candidate["promptId"], i=index, f=mask["feature"]: self.choose(p, i, f))
                grid.addWidget(made, row, column)
                self.buttons[(candidate["promptId"], index)] = made
        inner = QWidget()
        inner.setLayout(grid)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("<b>Click the best outline of each row.</b> Rows that you leave alone say nothing."))
        layout.addWidget(scroll, 1)
        self.resize(4 * (SIDE + 30) + 60, min(len(rows), 5) * (SIDE + 24) + 90)

    def choose(self, prompt_id: str, index: int, feature: Any) -> None:
        """Stores that one outline is better than the others of its row."""
        for (prompt, other), made in self.buttons.items():
            if prompt == prompt_id:
                made.setChecked(other == index)
                made.setStyleSheet("QToolButton { border: 3px solid #3ecf8e; }" if other == index else "")
        self._controller.judging.prefer(prompt_id, index, feature)
