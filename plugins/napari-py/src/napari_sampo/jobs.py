"""Work on threads of its own, with its results brought back to the window's thread."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Optional

from qtpy.QtCore import QObject, Qt, Signal

from sampo_client import CancelToken

log = logging.getLogger("napari_sampo")


class Job:
    """One piece of work. `report` may be called from its thread; `cancel()` from any."""

    def __init__(self, jobs: "Jobs", title: str, on_report: Optional[Callable[[Any], None]]) -> None:
        self.title = title
        self.token = CancelToken()
        self._jobs, self._on_report = jobs, on_report

    def report(self, value: Any) -> None:
        """Hands something to the window's thread."""
        if self._on_report is not None:
            self._jobs.deliver(self._on_report, value)

    def cancel(self) -> None:
        self.token.cancel()


class Jobs(QObject):
    """Two lanes: searches and refinements one after another, and short calls beside them, in their order."""

    _arrived = Signal(object, object)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._long = ThreadPoolExecutor(1, thread_name_prefix="sampo-long")
        self._short = ThreadPoolExecutor(1, thread_name_prefix="sampo-short")
        self._closed = False
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def deliver(self, callback: Callable[[Any], None], value: Any) -> None:
        """Calls back on the window's thread; from any thread."""
        if not self._closed:
            try:
                self._arrived.emit(callback, value)
            except RuntimeError:  # the window is gone
                pass

    def _receive(self, callback: Callable[[Any], None], value: Any) -> None:
        if not self._closed:
            callback(value)

    def run(
        self,
        title: str,
        work: Callable[[Job], Any],
        done: Callable[[Any], None] = lambda _: None,
        failed: Callable[[BaseException], None] = lambda error: log.error("%s", error),
        report: Optional[Callable[[Any], None]] = None,
        short: bool = False,
    ) -> Job:
        """Does `work` on a thread. `done`, `failed` and `report` are called on the window's thread."""
        job = Job(self, title, report)

        def body() -> None:
            try:
                value = work(job)
            except BaseException as error:  # brought to the user, whatever it is
                log.debug("%s failed", title, exc_info=True)
                self.deliver(failed, error)
            else:
                self.deliver(done, value)

        (self._short if short else self._long).submit(body)
        return job

    def close(self) -> None:
        self._closed = True
        for lane in (self._long, self._short):
            lane.shutdown(wait=False, cancel_futures=True)
