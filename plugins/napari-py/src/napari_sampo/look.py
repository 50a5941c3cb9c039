"""Small parts of the panel: sections, buttons, swatches. They take their colours from napari's theme."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

#: One colour for each level of message, readable on napari's dark and light theme.
MESSAGE_STYLE = {
    "note": "border-left: 3px solid #4a9eff; padding: 4px 6px;",
    "warning": "border-left: 3px solid #e6a23c; padding: 4px 6px;",
    "error": "border-left: 3px solid #f25c54; padding: 4px 6px;",
}
PRIMARY_STYLE = "QPushButton { background-color: #2f7de1; color: white; font-weight: bold; padding: 5px; } QPushButton:disabled { background-color: #4a5566; color: #9aa4b2; } QPushButton:hover:!disabled { background-color: #4a92ee; }"
TOOL_STYLE = "QPushButton:checked { background-color: #2f7de1; color: white; }"


class Section(QGroupBox):
    """A titled part of the panel."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(8, 14, 8, 6)
        self.rows.setSpacing(5)

    def row(self, *widgets: QWidget, stretch: Optional[QWidget] = None) -> QHBoxLayout:
        """Adds widgets side by side."""
        layout = QHBoxLayout()
        layout.setSpacing(5)
        for widget in widgets:
            layout.addWidget(widget, 1 if widget is stretch else 0)
        self.rows.addLayout(layout)
        return layout


def button(text: str, tip: str, pressed: Optional[Callable[[], Any]] = None, *, primary: bool = False, checkable: bool = False) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setCheckable(checkable)
    if pressed is not None:
        made.clicked.connect(lambda *_: pressed())
    if primary:
        made.setStyleSheet(PRIMARY_STYLE)
    elif checkable:
        made.setStyleSheet(TOOL_STYLE)
    return made


def hint(text: str = "") -> QLabel:
    """A line of small print that wraps."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setStyleSheet("color: palette(mid); font-size: 11px;")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def swatch(color: tuple[int, int, int], size: int = 14) -> QIcon:
    """A disc of a class colour."""
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(*color))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(1, 1, size - 2, size - 2)
    painter.end()
    return QIcon(pixmap)
