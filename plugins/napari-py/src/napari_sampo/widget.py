"""The panel: status, sections, progress, messages."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from .click_tool import ClickTool
from .controller import controller_of
from .look import MESSAGE_STYLE, button, hint
from .output_section import OutputSection
from .sections import FindSection, ImageSection, IntentSection, JudgeSection, RefineSection

#: The panel is brought up to date this long after the first of several changes, ms.
REFRESH_DELAY = 30


class SampoWidget(QWidget):
    """The dock widget."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.controller = controller_of(napari_viewer)
        self.tool = ClickTool(self.controller)
        self.status = hint()
        self.connect_button = button("Connect", "Finds the server, or starts it.", self.controller.connect)
        self.image = ImageSection(self.controller)
        self.intent = IntentSection(self.controller, self.tool)
        self.find = FindSection(self.controller)
        self.judge = JudgeSection(self.controller)
        self.refine = RefineSection(self.controller)
        self.output = OutputSection(self.controller)
        self.sections = [self.image, self.intent, self.find, self.judge, self.refine, self.output]
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.doing = hint()
        self.stop = button("Stop", "Stops what is under way (Esc).", self.controller.stop)
        self.message = QLabel("Click a few nuclei, then press Find all.")
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setStyleSheet(MESSAGE_STYLE["note"])
        self._lay_out()
        self._refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_DELAY)
        self._refresh_timer.timeout.connect(self.refresh)
        self.controller.changed.connect(self._later)
        self.controller.said.connect(self.say)
        self.controller.progressed.connect(self.show_progress)
        self._bind_keys()
        self.show_progress(100, "")
        self.refresh()

    def _lay_out(self) -> None:
        inner = QWidget()
        rows = QVBoxLayout(inner)
        rows.setContentsMargins(4, 4, 4, 4)
        rows.setSpacing(6)
        top = QHBoxLayout()
        top.addWidget(self.status, 1)
        top.addWidget(self.connect_button)
        rows.addLayout(top)
        for section in self.sections:
            rows.addWidget(section)
        rows.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2, 2, 2, 2)
        outer.addWidget(scroll, 1)
        progress = QHBoxLayout()
        progress.addWidget(self.doing, 1)
        progress.addWidget(self.stop)
        outer.addWidget(self.bar)
        outer.addLayout(progress)
        outer.addWidget(self.message)
        self.setMinimumWidth(310)

    def _bind_keys(self) -> None:
        controller = self.controller
        keys = {
            "J": lambda _: self.intent.click.toggle(),
            "U": lambda _: controller.undo(),
            "I": lambda _: controller.judging.review_next(),
            "K": lambda _: controller.judging.judge_current(True),
            "N": lambda _: controller.judging.judge_current(False),
            "Control-Enter": lambda _: controller.searching.find(),
        }
        for key, pressed in keys.items():
            self.viewer.bind_key(key, pressed, overwrite=True)

    def _later(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def refresh(self) -> None:
        """Brings all sections up to date."""
        if self.controller.closed:
            return
        live = self.controller.bridge.live is not None
        self.status.setText(("<span style='color:#3ecf8e'>●</span> " if live else "<span style='color:#8a93a2'>●</span> ") + self.controller.bridge.describe())
        self.connect_button.setVisible(not live)
        for section in self.sections:
            section.refresh()
        self.stop.setVisible(self.controller.running is not None)

    def say(self, level: str, text: str) -> None:
        self.message.setStyleSheet(MESSAGE_STYLE[level])
        self.message.setText(text)

    def show_progress(self, percentage: float, text: str) -> None:
        busy = bool(text)
        self.bar.setVisible(busy)
        self.doing.setVisible(busy)
        self.stop.setVisible(busy and self.controller.running is not None)
        self.doing.setText(text)
        self.bar.setRange(0, 0 if percentage < 0 and busy else 100)
        if percentage >= 0:
            self.bar.setValue(int(percentage))

    def closeEvent(self, event: Any) -> None:
        self.tool.set(False)
        super().closeEvent(event)
