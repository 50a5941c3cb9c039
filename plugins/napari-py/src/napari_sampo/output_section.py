"""Saving objects, and running intents over many pictures."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMenu

from .batch import open_layers, picture_files, run_folder
from .controller import Controller
from .look import Section, button


class OutputSection(Section):
    """Save and batch."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("Save and batch")
        self._controller = controller
        self.save = button("Save objects…", "GeoJSON that QuPath and napari read.", self._save)
        self.batch = button("Batch", "Runs the intent over many pictures, without a click.")
        menu = QMenu(self.batch)
        menu.addAction("All open image layers", lambda: open_layers(controller))
        menu.addAction("A folder of pictures…", self._folder)
        self.batch.setMenu(menu)
        self.row(self.save, self.batch)

    def refresh(self) -> None:
        picture = self._controller.current_picture()
        self.save.setEnabled(picture is not None and len(picture.canvas) > 0)
        self.batch.setEnabled(self._controller.running is None and self._controller.intent() is not None)

    def _save(self) -> None:
        picture = self._controller.current_picture()
        if picture is None:
            return
        suggested = f"{picture.image_layer.name}.geojson"
        path, _ = QFileDialog.getSaveFileName(self, "Save objects", suggested, "GeoJSON (*.geojson)")
        if path:
            self._controller.save(path)

    def _folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of pictures")
        if not folder:
            return
        files = picture_files(Path(folder))
        if not files:
            self._controller.say("warning", f"There is no picture in {folder}: PNG, JPEG, TIFF and SVS are read.")
            return
        run_folder(self._controller, files, Path(folder) / "sampo")
