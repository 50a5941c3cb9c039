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
    """How a batch run ended."""

    job_id: str
    state: str
    total: int
    done: int
    failed: int


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
    """Waits for the end of a job. An interrupt cancels it. Raises BatchFailed when an image failed."""
    bar = bar_of(job["total"], progress)
    try:
        while True:
            bar.update(job["done"] + job["failed"] - bar.n)
            if job["failed"]:
                bar.set_postfix(failed=job["failed"])
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(poll)
            job = call("batch/status", {"jobId": job["jobId"]})["job"]
    except KeyboardInterrupt:
        call("batch/cancel", {"jobId": job["jobId"]})
        raise
    finally:
        bar.close()
    end = BatchEnd(job["jobId"], job["state"], job["total"], job["done"], job["failed"])
    if end.failed or end.state == "failed":
        raise BatchFailed(f"{end.failed} of {end.total} images failed", hint="the output folder says which and why; batch/resume takes the job up again", data={"job": dict(job)})
    return end
