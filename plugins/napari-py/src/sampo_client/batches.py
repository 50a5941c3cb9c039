"""Follows a batch run of the server, with a progress bar."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from .errors import SampoError


class BatchFailed(SampoError):
    """A batch run ended with images that failed."""

    summary = "images of the batch failed"


@dataclass(frozen=True)
class BatchEnd:
    """How a batch run ended; counts are of images."""

    job_id: str
    state: str
    total: int
    done: int
    failed: int
    objects: int
    output_folder: str


class NoBar:
    """Stands in where tqdm is not installed or not wanted."""

    n = 0

    def update(self, count: int) -> None:
        self.n += count

    def set_postfix(self, **_: object) -> None:
        pass

    def close(self) -> None:
        pass


def bar_of(total: int, wanted: bool) -> Any:
    """A tqdm bar, the notebook's own in a notebook."""
    if not wanted:
        return NoBar()
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return NoBar()
    return tqdm(total=total, unit="image")


def follow(call: Callable[..., Any], job: Mapping[str, Any], progress: bool, poll: float) -> BatchEnd:
    """Waits for the end of a job. An interrupt cancels it; finished images stay. Raises BatchFailed when an image failed or the job stopped."""
    bar = bar_of(job["images"]["total"], progress)
    try:
        while True:
            images = job["images"]
            bar.update(images["done"] + images["failed"] - bar.n)
            bar.set_postfix(objects=job["objects"], **({"failed": images["failed"]} if images["failed"] else {}))
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(poll)
            job = call("batch/status", {"jobId": job["jobId"]})["job"]
    except KeyboardInterrupt:
        call("batch/cancel", {"jobId": job["jobId"]})
        raise
    finally:
        bar.close()
    end = BatchEnd(job["jobId"], job["state"], images["total"], images["done"], images["failed"], job["objects"], job["outputFolder"])
    if end.state != "done":
        why = job["message"] or f"{end.failed} of {end.total} images failed, or parts of them"
        raise BatchFailed(f"the batch is {end.state}: {why}", hint="errors.csv in the output folder says which and why; the same call again takes the job up", data={"job": dict(job)})
    return end
