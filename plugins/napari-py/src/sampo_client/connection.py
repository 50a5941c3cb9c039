"""JSON-RPC 2.0 over one WebSocket, both ways: futures, progress, cancel, and answers to the server's own requests."""

from __future__ import annotations

import itertools
import json
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable, Mapping, Optional, Union

from .discovery import ConnectionInfo
from .errors import SampoError, error_of
from .errors_gen import Busy, ConnectionLost, ConnectionRefused, TokenRefused

log = logging.getLogger("sampo_client")

#: A message longer than this is parsed with a pause after each object, so that other threads (a window's) get their turn.
PATIENT_PARSE_CHARACTERS = 200_000
#: Server requests (reads of pixels) answered at the same time.
ANSWER_THREADS = 4
#: An answerer gives the result, or the result and the binary frame to send before it.
Answerer = Callable[[Any], Union[Any, tuple[Any, bytes]]]


class PendingCall:
    """A request under way. `future` gets the result, or the SampoError of the answer."""

    def __init__(self, connection: "Connection", request_id: int, on_progress: Optional[Callable[[Any], None]]) -> None:
        self.future: "Future[Any]" = Future()
        self.request_id = request_id
        self._connection = connection
        self._on_progress = on_progress
        self._callback_error: Optional[BaseException] = None

    def cancel(self) -> None:
        """Asks the server to stop; the request is still answered, with RequestCancelled."""
        if not self.future.done():
            self._connection.notify("$/cancelRequest", {"id": self.request_id})

    def result(self) -> Any:
        """Waits for the answer. An interrupt (Ctrl-C, a notebook's stop button) cancels the request at the server."""
        try:
            while True:
                try:
                    # Waiting in slices lets Windows deliver an interrupt.
                    return self.future.result(timeout=1)
                except FutureTimeout:
                    if self.future.done():
                        raise
        except KeyboardInterrupt:
            self.cancel()
            raise

    def hear(self, value: Any) -> None:
        """Passes progress on. A callback that raises cancels the request, and its exception is the outcome."""
        if self._on_progress is None or self._callback_error is not None:
            return
        try:
            self._on_progress(value)
        except BaseException as error:  # the callback's own exception goes to the caller
            self._callback_error = error
            self.cancel()

    def settle(self, result: Any = None, error: Optional[BaseException] = None) -> None:
        error = self._callback_error or error
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class CancelToken:
    """Cancels what runs under it, from any thread: hand it to find_all or refine, and call cancel()."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Optional[PendingCall] = None
        self.cancelled = False

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            running = self._running
        if running is not None:
            running.cancel()

    def watch(self, pending: PendingCall) -> None:
        """Takes a request under its care; one that comes after cancel() is cancelled at once."""
        with self._lock:
            self._running = pending
            cancelled = self.cancelled
        if cancelled:
            pending.cancel()


class Connection:
    """One open socket. Thread-safe; callbacks run on its reader thread, answerers on threads of their own."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._manager: Any = socket
        self._ids = itertools.count(1)
        self._pending: dict[int, PendingCall] = {}
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[Any], None]]] = {}
        self._answerers: dict[str, Answerer] = {}
        self._asked: set[Any] = set()
        self._cancelled: set[Any] = set()
        self._pool = ThreadPoolExecutor(ANSWER_THREADS, thread_name_prefix="sampo-answer")
        self._end: Optional[ConnectionLost] = None
        self.on_close: Optional[Callable[[ConnectionLost], None]] = None
        self._reader = threading.Thread(target=self._read, name="sampo-reader", daemon=True)

    @classmethod
    def open(cls, info: ConnectionInfo, timeout: float = 10) -> "Connection":
        """Connects. Raises TokenRefused, ConnectionRefused, Busy; the server's own sentence is in the message."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        try:
            # Entered by hand, for the connection outlives this call; from version 17 on websockets wants it so.
            manager = connect(
                info.url,
                additional_headers={"Authorization": f"Bearer {info.token}"},
                subprotocols=["sampo.v1"],  # type: ignore[list-item]
                max_size=None,
                compression=None,
                open_timeout=timeout,
                proxy=None,
            )
            socket = manager.__enter__()
        except InvalidStatus as error:
            status = error.response.status_code
            said = bytes(error.response.body or b"").decode("utf-8", "replace").strip() or f"HTTP {status}"
            kind = {401: TokenRefused, 503: Busy}.get(status, ConnectionRefused)
            raise kind(f"the server at {info.url} refused the connection: {said}") from error
        except TimeoutError as error:
            raise ConnectionRefused(f"nothing answered at {info.url} within {timeout:g} s", hint="another program may have taken the port: restart the server with sampo serve") from error
        except (OSError, InvalidHandshake, ConnectionClosed, EOFError) as error:
            raise ConnectionRefused(f"no server at {info.url}: {error}") from error
        connection = cls(socket)
        connection._manager = manager
        connection._reader.start()
        return connection

    @property
    def closed(self) -> bool:
        return self._end is not None

    def request(self, method: str, params: Any, on_progress: Optional[Callable[[Any], None]] = None) -> PendingCall:
        """Sends a request. Raises ConnectionLost when the connection has ended."""
        pending = PendingCall(self, next(self._ids), on_progress)
        with self._lock:
            if self._end is not None:
                raise self._lost()
            self._pending[pending.request_id] = pending
        try:
            self.send({"jsonrpc": "2.0", "id": pending.request_id, "method": method, "params": params})
        except BaseException:
            with self._lock:
                self._pending.pop(pending.request_id, None)
            raise
        return pending

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Sends a notification; on a connection that has ended it goes nowhere."""
        try:
            self.send({"jsonrpc": "2.0", "method": method, "params": params})
        except ConnectionLost:
            pass

    def listen(self, method: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Hears a notification of the server. Returns a function that ends it."""
        self._listeners.setdefault(method, []).append(listener)
        return lambda: self._listeners[method].remove(listener)

    def answer(self, method: str, answerer: Answerer) -> None:
        """Answers a request of the server; a method without an answerer is refused as MethodNotFound."""
        self._answerers[method] = answerer

    def send(self, message: Any) -> None:
        """Sends a message: bytes as a binary frame, text as it is, anything else as JSON."""
        from websockets.exceptions import ConnectionClosed

        frame = message if isinstance(message, (bytes, str)) else json.dumps(message, allow_nan=False)
        try:
            self._socket.send(frame)
        except (ConnectionClosed, OSError) as error:
            raise self._lost() from error

    def close(self) -> None:
        self._manager.__exit__(None, None, None)
        self._reader.join(5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(self._end.message if self._end else "the connection to the server has ended")

    def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed

        reason = "the connection to the server has ended"
        try:
            while True:
                message = self._socket.recv()
                if isinstance(message, bytes):
                    log.warning("the server sent a binary frame of %d bytes, which nothing here expects", len(message))
                    continue
                self._take(message)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            said = error.rcvd.reason if error.rcvd else ""
            reason = f"the server closed the connection ({code}{': ' + said if said else ''})"
        except Exception as error:  # a reader that dies must not leave callers waiting
            log.exception("the reader ended")
            reason = f"the connection failed: {type(error).__name__}: {error}"
        with self._lock:
            self._end = ConnectionLost(reason)
            waiting = list(self._pending.values())
            self._pending.clear()
        for pending in waiting:
            pending.settle(error=self._lost())
        if self.on_close is not None:
            self.on_close(self._end)

    def _take(self, text: str) -> None:
        try:
            message = parse(text)
        except (ValueError, RecursionError):
            log.warning("the server sent %d characters that are not JSON", len(text))
            return
        if not isinstance(message, dict):
            log.warning("the server sent JSON that is no message: %.80s", text)
            return
        method, request_id = message.get("method"), message.get("id")
        if isinstance(method, str):
            if isinstance(request_id, (str, int, float)):
                self._asked.add(request_id)
                self._pool.submit(self._reply, request_id, method, message.get("params"))
            elif request_id is None:
                self._notified(method, message.get("params"))
            else:
                log.warning("the server asked %s under an id that is neither text nor number", method)
            return
        # Ids of this client are whole numbers; True is one to Python, not to the protocol.
        pending = None
        if type(request_id) is int:
            with self._lock:
                pending = self._pending.pop(request_id, None)
        if pending is None:
            if message.get("error"):
                log.warning("the server complained: %s", error_of(message["error"]) if isinstance(message["error"], dict) else message["error"])
            return
        if "error" in message and isinstance(message["error"], dict):
            pending.settle(error=error_of(message["error"]))
        elif "result" in message:
            pending.settle(message["result"])
        else:
            pending.settle(error=SampoError("the server's answer holds neither result nor error", hint="please report it"))

    def _notified(self, method: str, params: Any) -> None:
        if method == "$/progress" and isinstance(params, dict):
            with self._lock:
                pending = self._pending.get(params["id"]) if type(params.get("id")) is int else None
            if pending is not None:
                pending.hear(params.get("value"))
            return
        if method == "$/cancelRequest" and isinstance(params, dict):
            if isinstance(params.get("id"), (str, int, float)) and params["id"] in self._asked:
                self._cancelled.add(params["id"])
            return
        for listener in list(self._listeners.get(method, [])):
            try:
                listener(params)
            except Exception:  # one listener's fault is not the connection's
                log.exception("a listener to %s failed", method)

    def _reply(self, request_id: Any, method: str, params: Any) -> None:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id}
        frame: Optional[bytes] = None
        if request_id in self._cancelled:
            answer["error"] = {"code": -32800, "message": "cancelled by the server"}
        elif method not in self._answerers:
            answer["error"] = {"code": -32601, "message": f"this client does not answer {method}"}
        else:
            try:
                result = self._answerers[method](params)
                answer["result"], frame = result if isinstance(result, tuple) else (result, None)
            except BaseException as error:  # told to the server, which fails the request that needed it
                log.info("%s failed: %s", method, error)
                answer["error"] = {"code": -32603, "message": f"{type(error).__name__}: {error}"}
        try:
            if frame is not None:
                self.send(frame)
            self.send(answer)
        except ConnectionLost:
            pass
        finally:
            self._asked.discard(request_id)
            self._cancelled.discard(request_id)


def parse(text: str) -> Any:
    """A message from its text.

    Python's parser holds the interpreter for the whole of a message: 0.1 s for 19,000 outlines, in which a window would stand
    still. With a Python hook it lets other threads in at each object.
    Positions become tuples. Python's collector goes through all lists there are, 0.2 s at each full collection with 3,000
    outlines, in which the window stands still too; tuples of numbers it passes over.
    """
    if '"coordinates"' in text:
        return json.loads(text, object_hook=_with_tuples)
    if len(text) < PATIENT_PARSE_CHARACTERS:
        return json.loads(text)
    return json.loads(text, object_hook=lambda held: held)


def _with_tuples(held: dict[str, Any]) -> dict[str, Any]:
    if isinstance(held.get("coordinates"), list):
        held["coordinates"] = _tuples(held["coordinates"])
    return held


def _tuples(nested: Any) -> Any:
    """Lists in lists to tuples in tuples; the positions of a ring in one go."""
    if nested and isinstance(nested[0], list):
        if nested[0] and not isinstance(nested[0][0], list):
            return tuple(map(tuple, nested))
        return tuple(map(_tuples, nested))
    return tuple(nested)
