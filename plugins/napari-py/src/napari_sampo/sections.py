"""The sections of the panel. Each shows the controller's state in `refresh` and hands what the user does to it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QCheckBox, QColorDialog, QComboBox, QDoubleSpinBox, QFormLayout, QInputDialog, QLabel, QMenu, QMessageBox, QSlider, QToolButton, QWidget

from sampo_client.stains import STAINS

from .click_log import CLICK
from .click_tool import ClickTool
from .controller import Controller
from .look import Section, button, hint, swatch
from .search_settings import LAYER, SHAPE, VIEW
from .words import counted

#: Colours for new intents, told apart by people who do not see all (Okabe and Ito).
COLORS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (240, 228, 66))
STAIN_WORDS = {"haematoxylin": "nuclei", "dab": "marker", "eosin": "tissue", "none": "left out"}


class ImageSection(Section):
    """Which picture, how large a pixel, what the channels are."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("Image")
        self._controller = controller
        self.name = QLabel()
        self.name.setWordWrap(True)
        self.size = QDoubleSpinBox()
        self.size.setDecimals(4)
        self.size.setRange(0, 1000)
        self.size.setSingleStep(0.01)
        self.size.setSuffix(" µm / px")
        self.size.setSpecialValueText("unknown")
        self.size.setToolTip("How large a pixel is. The model works at 0.5 µm per pixel; without a size it takes that.")
        self.size.setKeyboardTracking(False)
        self.size.valueChanged.connect(self._typed)
        self.source = hint()
        self.rows.addWidget(self.name)
        self.row(QLabel("Pixel size"), self.size, stretch=self.size)
        self.rows.addWidget(self.source)
        self.stains = QWidget()
        self._stain_rows = QFormLayout(self.stains)
        self._stain_rows.setContentsMargins(0, 0, 0, 0)
        self._boxes: list[QComboBox] = []
        self._channels: list[str] = []
        self.rows.addWidget(self.stains)

    def refresh(self) -> None:
        controller, picture = self._controller, self._controller.current_picture()
        if picture is None:
            self.name.setText("No image is open.")
            self.source.setText("Open one, or take File ▸ Open Sample ▸ SAMPO.")
        else:
            kind = "RGB" if picture.image_layer.rgb else counted(len(picture.layers), "channel")
            self.name.setText(f"<b>{picture.image_layer.name}</b> · {picture.width:,} × {picture.height:,} px · {kind}".replace(",", " "))
            size, where = controller.pixel_size(picture)
            self.source.setText("" if size is not None and where == "from the layer's scale" else f"Pixel size: {where}." if size is not None else "The pixel size is unknown: 0.5 µm is taken. Type it in for right results.")
            self.size.blockSignals(True)
            self.size.setValue(size or 0)
            self.size.blockSignals(False)
        self.source.setVisible(bool(self.source.text()))
        self.size.setEnabled(picture is not None)
        self._show_stains(picture)

    def _typed(self, value: float) -> None:
        self._controller.settings.pixel_size = value or None
        self._controller.changed.emit()

    def _show_stains(self, picture: Any) -> None:
        names = [] if picture is None or picture.image_layer.rgb else [str(layer.name) for layer in picture.layers]
        if names != self._channels:
            self._channels = names
            while self._stain_rows.rowCount():
                self._stain_rows.removeRow(0)
            self._boxes = []
            for name in names:
                box = QComboBox()
                box.addItems(["guessed", *(f"{STAIN_WORDS[stain]} ({stain})" if stain != "none" else "left out" for stain in STAINS)])
                box.setToolTip("What the channel shows. The model sees the nuclei as haematoxylin and a marker as DAB.")
                box.currentIndexChanged.connect(self._stain_chosen)
                self._stain_rows.addRow(name, box)
                self._boxes.append(box)
        guessed = self._controller.stain_map()
        for index, box in enumerate(self._boxes):
            stain = guessed[index] if isinstance(guessed, tuple) and index < len(guessed) else guessed
            box.setItemText(0, f"guessed: {STAIN_WORDS.get(str(stain), str(stain))}" if stain is not None else "guessed")
        self.stains.setVisible(bool(names))

    def _stain_chosen(self) -> None:
        chosen = [box.currentIndex() - 1 for box in self._boxes]
        if all(index < 0 for index in chosen):
            self._controller.settings.stains = None
        else:
            guessed = self._controller.stain_map()
            known = guessed if isinstance(guessed, tuple) and len(guessed) == len(chosen) else ("none",) * len(chosen)
            self._controller.settings.stains = tuple(STAINS[index] if index >= 0 else known[at] for at, index in enumerate(chosen))
        self._controller.changed.emit()


class IntentSection(Section):
    """What is looked for, and the click tool."""

    def __init__(self, controller: Controller, tool: ClickTool) -> None:
        super().__init__("Look for")
        self._controller, self._tool = controller, tool
        self.choice = QComboBox()
        self.choice.setEditable(True)
        self.choice.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.choice.lineEdit().setPlaceholderText("Name of the type, e.g. Lymphocyte")
        self.choice.setToolTip("An intent: a type of object by name. Choose one that has learned already, or type a new name.")
        self.choice.lineEdit().editingFinished.connect(self._named)
        self.choice.activated.connect(lambda *_: self._named())
        self.color = QToolButton()
        self.color.setToolTip("Colour of the class")
        self.color.clicked.connect(self._pick_color)
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setToolTip("Rename or delete the intent")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.addAction("Rename…", self._rename)
        menu.addAction("Delete…", self._delete)
        self.more.setMenu(menu)
        self.row(self.choice, self.color, self.more, stretch=self.choice)
        self.learned = hint()
        self.rows.addWidget(self.learned)
        self.click = button("Click (J)", "Click nuclei of the type in the picture. Shift-click or right click: not this. Dragging moves the view.", checkable=True)
        self.not_this = button("Not this", "Clicks are examples of what it is not.", checkable=True)
        self.undo = button("Undo (U)", "Takes back the latest click or judgement.", controller.undo)
        self.click.toggled.connect(lambda on: self._use(on, False))
        self.not_this.toggled.connect(lambda on: self._use(on, True))
        self.row(self.click, self.not_this, self.undo, stretch=self.click)

    def refresh(self) -> None:
        controller, name = self._controller, self._controller.settings.intent
        listed = [intent.name for intent in controller.intents]
        if name and name not in listed:
            listed.append(name)
        self.choice.blockSignals(True)
        if [self.choice.itemText(i) for i in range(self.choice.count())] != listed:
            self.choice.clear()
            self.choice.addItems(listed)
        for index, item in enumerate(listed):
            self.choice.setItemIcon(index, swatch(self.color_of(item)))
        self.choice.setCurrentIndex(listed.index(name) if name in listed else -1)
        if not self.choice.lineEdit().hasFocus():
            self.choice.setEditText(name)
        self.choice.blockSignals(False)
        self.color.setIcon(swatch(self.color_of(name)))
        intent, picture = controller.intent(), controller.current_picture()
        clicks = [click for click in (picture.log.clicks if picture else ()) if click.intent == name]
        here = f"{sum(c.kind == CLICK for c in clicks)} clicked here" + (f", {sum(c.kind != CLICK for c in clicks)} not this" if any(c.kind != CLICK for c in clicks) else "")
        if intent is None:
            self.learned.setText(f"{here}. A new intent: 1 to 5 clicks are enough." if name else "Name it, then click 1 to 5 of them.")
        else:
            version = "as shipped" if intent.checkpoint_id is None else "refined"
            self.learned.setText(f"{here} · knows {counted(intent.examples, 'example')}, {counted(intent.judgements, 'judgement')} · {version}")
        self.undo.setEnabled(bool(controller.actions))
        self.more.setEnabled(bool(name))

    def color_of(self, name: str) -> tuple[int, int, int]:
        """The colour of an intent: the server's, the one chosen for a new one, or the next free one."""
        intent = self._controller.intent(name) if name else None
        if intent is not None:
            return intent.color
        if self._controller.settings.color is not None and name == self._controller.settings.intent:
            return self._controller.settings.color
        return COLORS[len(self._controller.intents) % len(COLORS)]

    def _named(self) -> None:
        name = self.choice.currentText().strip()
        if name and name != self._controller.settings.intent:
            known = self._controller.intent(name) is not None
            self._controller.choose_intent(name, None if known else COLORS[len(self._controller.intents) % len(COLORS)])

    def _use(self, on: bool, negative: bool) -> None:
        other = self.click if negative else self.not_this
        if on:
            self._named()
            other.blockSignals(True)
            other.setChecked(False)
            other.blockSignals(False)
        self._tool.negative = self.not_this.isChecked()
        self._tool.set(self.click.isChecked() or self.not_this.isChecked())

    def _pick_color(self) -> None:
        color = QColorDialog.getColor(QColor(*self.color_of(self._controller.settings.intent)), self, "Colour of the class")
        if color.isValid():
            self._controller.recolor_intent((color.red(), color.green(), color.blue()))

    def _rename(self) -> None:
        name, fine = QInputDialog.getText(self, "Rename", "New name:", text=self._controller.settings.intent)
        if fine and name.strip():
            self._controller.rename_intent(name.strip())

    def _delete(self) -> None:
        intent = self._controller.intent()
        if intent is None:
            self._controller.choose_intent("")
            return
        told = f"Delete “{intent.name}” with its {counted(intent.examples, 'example')}, {counted(intent.judgements, 'judgement')} and refinements? This cannot be undone."
        if QMessageBox.question(self, "Delete intent", told) == QMessageBox.StandardButton.Yes:
            self._controller.delete_intent()


class FindSection(Section):
    """Find all, live view, threshold."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("Find")
        self._controller = controller
        self.extents = {
            VIEW: button("View", "Search what the viewer shows.", lambda: self._choose(VIEW), checkable=True),
            LAYER: button("Layer", "Search the whole image.", lambda: self._choose(LAYER), checkable=True),
            SHAPE: button("Shape", "Search inside the selected shapes of a Shapes layer.", lambda: self._choose(SHAPE), checkable=True),
        }
        self.row(QLabel("In"), *self.extents.values())
        self.find = button("Find all", "Find all objects like the clicked ones (Ctrl+Return).", lambda: controller.searching.find(), primary=True)
        self.rows.addWidget(self.find)
        self.live = QCheckBox("Live: search the view as it moves")
        self.live.toggled.connect(controller.searching.set_live)
        self.rows.addWidget(self.live)
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0, 100)
        self.threshold.setValue(50)
        self.threshold.setToolTip("Least score of an object. Moving it needs no new search.")
        self.threshold.valueChanged.connect(self._slid)
        self.value = QLabel("auto")
        self.auto = QToolButton()
        self.auto.setText("↺")
        self.auto.setToolTip("Each intent's own threshold")
        self.auto.clicked.connect(self._reset)
        self.row(QLabel("Threshold"), self.threshold, self.value, self.auto, stretch=self.threshold)
        self.outlines = QCheckBox("Outlines only")
        self.outlines.setToolTip("Outlines let the tissue be seen; filled objects are drawn faster in large pictures.")
        self.outlines.toggled.connect(self._show_outlines)
        self.rows.addWidget(self.outlines)

    def _choose(self, extent: str) -> None:
        self._controller.settings.extent = extent
        self.refresh()

    def _slid(self, value: int) -> None:
        self._controller.searching.set_threshold(value / 100)
        self.refresh()

    def _reset(self) -> None:
        self.threshold.blockSignals(True)
        self.threshold.setValue(50)
        self.threshold.blockSignals(False)
        self._controller.searching.set_threshold(None)
        self.refresh()

    def refresh(self) -> None:
        controller = self._controller
        for extent, made in self.extents.items():
            made.setChecked(controller.settings.extent == extent)
        value = controller.settings.threshold
        self.value.setText("auto" if value is None else f"{value:.2f}")
        self.find.setEnabled(controller.running is None)
        self.live.setChecked(controller.settings.live)
        picture = controller.current_picture()
        if picture is not None:
            self.outlines.blockSignals(True)
            self.outlines.setChecked(picture.outlines)
            self.outlines.blockSignals(False)

    def _show_outlines(self, on: bool) -> None:
        picture = self._controller.current_picture()
        if picture is not None:
            picture.show_outlines(on)


class JudgeSection(Section):
    """Accept and reject, the review, the gallery."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("Judge")
        self._controller = controller
        judging = controller.judging
        self.next = button("Review next (I)", "Goes to the object the model is least sure of.", judging.review_next)
        self.gallery = button("Gallery…", "Judge forty at once: the least sure first.", self._open_gallery)
        self.row(self.next, self.gallery, stretch=self.next)
        self.accept = button("✓ Accept (K)", "Right: the object under review, or under the mouse.", lambda: judging.judge_current(True))
        self.reject = button("✗ Reject (N)", "Wrong: the object under review, or under the mouse.", lambda: judging.judge_current(False))
        self.row(self.accept, self.reject)
        self.candidates = button("Which outline is better…", "The model has several outlines for each click: say which is the best.", self._open_candidates)
        self.rows.addWidget(self.candidates)
        self.counts = hint()
        self.rows.addWidget(self.counts)

    def refresh(self) -> None:
        controller = self._controller
        picture = controller.current_picture()
        have = picture is not None and bool(picture.found.results)
        for made in (self.next, self.gallery, self.accept, self.reject):
            made.setEnabled(have)
        latest = picture.found.latest() if picture is not None else None
        self.candidates.setEnabled(latest is not None and any(len(one["masks"]) > 1 for one in latest.candidates))
        accepted, rejected = controller.judging.judged_count()
        left = len(controller.judging.reviewing)
        self.counts.setText(f"{accepted} accepted · {rejected} rejected" + (f" · {left} to review" if left else ""))

    def _open_gallery(self) -> None:
        from .gallery import open_gallery

        open_gallery(self._controller, self)

    def _open_candidates(self) -> None:
        from .candidates import open_candidates

        open_candidates(self._controller, self)


class RefineSection(Section):
    """Refine, before and after, keep or revert."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("Refine")
        self._controller = controller
        refining = controller.refining
        self.refine = button("Refine", "Learns from what you accepted and rejected: seconds. You can go back.", refining.refine, primary=True)
        self.rows.addWidget(self.refine)
        self.keep = button("Keep", "The refinement stays.", refining.keep)
        self.revert = button("Revert", "Goes back to what was before.", refining.revert)
        self.before = button("Show before", "Shows the objects as they were before the refinement.", checkable=True)
        self.before.toggled.connect(refining.compare)
        self.row(self.before, self.keep, self.revert, stretch=self.before)
        self.change = hint()
        self.rows.addWidget(self.change)

    def refresh(self) -> None:
        controller = self._controller
        refining, intent = controller.refining, controller.intent()
        judged = intent.judgements if intent is not None else 0
        self.refine.setEnabled(controller.running is None and judged > 0)
        waiting = refining.refinement is not None
        for made in (self.keep, self.revert, self.before):
            made.setVisible(waiting)
            made.setEnabled(controller.running is None)
        if not waiting and self.before.isChecked():
            self.before.blockSignals(True)
            self.before.setChecked(False)
            self.before.blockSignals(False)
        text = (
            f"<span style='color:#1acc4d'>■</span> {len(refining.change.added)} added &nbsp; <span style='color:#e61a33'>■</span> {len(refining.change.removed)} removed "
            f"&nbsp; <span style='color:#ffbf1a'>■</span> {len(refining.change.reshaped)} reshaped"
            if waiting and refining.change is not None
            else "" if judged else "Accept and reject a few objects first: ten are a good start."
        )
        self.change.setText(text)
        self.change.setVisible(bool(text))


