"""One intent over many pictures: all open image layers, or a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

from sampo_client import FileImage, Objects, SampoError
from sampo_client.errors_gen import ConnectionLost, RequestCancelled

from .controller import Controller
from .coordinates import pixel_size, scale_bar_unit
from .jobs import Job
from .layer_image import channel_layers, image_layers, layer_image
from .words import counted

#: What the server reads by path.
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".svs", ".ndpi", ".scn", ".mrxs")


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())


def run_folder(controller: Controller, files: Sequence[Path], out: Path) -> None:
    """Searches each file with the intent and writes a GeoJSON file for each into `out`, and a summary. Failures are told at the end."""
    _run(controller, [(path.stem, FileImage(str(path.absolute()), controller.settings.pixel_size)) for path in files], out)


def open_layers(controller: Controller) -> None:
    """Searches all open pictures with the intent; results go to layers of their own."""
    viewer, done, images = controller.viewer, set(), []
    for layer in image_layers(viewer):
        if id(layer) in done:
            continue
        layers = channel_layers(viewer, layer)
        done.update(id(other) for other in layers)
        size = controller.settings.pixel_size or pixel_size(layer, scale_bar_unit(viewer))[0]
        images.append((str(layer.name), layer_image(viewer, layers, size)))
    _run(controller, images, None)


def _run(controller: Controller, images: list[tuple[str, Any]], out: "Path | None") -> None:
    intent = controller.intent()
    if controller.running is not None or intent is None or not images:
        controller.say("warning", "Choose an intent that has examples, and wait for what is under way." if images else "There is no picture to search.")
        return
    threshold = controller.settings.threshold

    def work(job: Job) -> dict[str, Any]:
        session = controller.bridge.session()
        found: list[tuple[str, Objects]] = []
        failed: list[tuple[str, str]] = []
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        for number, (name, image) in enumerate(images):
            if job.token.cancelled:
                raise RequestCancelled(f"stopped after {number} of {len(images)}")

            def hear(value: Any, number: int = number, name: str = name) -> None:
                job.report((100 * (number + value.get("percentage", 0) / 100) / len(images), f"{number + 1} of {len(images)}: {name}"))

            try:
                objects = session.find_all(image, intent=intent, threshold=threshold, on_progress=hear, cancel=job.token)
            except (RequestCancelled, ConnectionLost):
                raise
            except Exception as error:  # one picture that fails does not end the others
                failed.append((name, f"{error.message} ({error.hint})" if isinstance(error, SampoError) else f"{type(error).__name__}: {error}"))
                continue
            found.append((name, objects))
            if out is not None:
                objects.to_geojson(out / f"{name}.geojson")
        if out is not None:
            summary = {"intent": intent.name, "images": [{"name": name, "objects": len(objects)} for name, objects in found], "failed": [{"name": name, "error": why} for name, why in failed]}
            (out / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False), encoding="utf-8")
        return {"found": found, "failed": failed}

    def done(value: dict[str, Any]) -> None:
        found, failed = value["found"], value["failed"]
        if out is None:
            from .reader import labels_layer

            for name, objects in found:
                data, settings, _ = labels_layer(list(objects.features), name=f"SAMPO {intent.name}: {name}")
                layer = controller.viewer.layers[name] if name in controller.viewer.layers else None
                if layer is not None:
                    settings.update(scale=layer.scale[-2:], translate=layer.translate[-2:])
                controller.viewer.add_labels(data, **settings)
        total = sum(len(objects) for _, objects in found)
        where = f", in {out}" if out is not None else ""
        told = "".join(f" {name}: {why}." for name, why in failed[:3])
        more = f" And {len(failed) - 3} more." if len(failed) > 3 else ""
        controller.say(
            "error" if failed else "note", f"Batch: {counted(total, intent.name)} in {counted(len(found), 'picture')}{where}." + (f" {counted(len(failed), 'picture')} failed:{told}{more}" if failed else "")
        )

    controller.start("Batch", work, done, "Batch", report=lambda value: controller.progressed.emit(*value))
