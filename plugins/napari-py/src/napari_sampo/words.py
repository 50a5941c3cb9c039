"""What the panel says. The same words as in the QuPath panel."""

from __future__ import annotations

from sampo_client import SampoError
from sampo_client.errors_gen import ConnectionLost, ConnectionRefused, NoServer, RequestCancelled, ResultNotFound, VersionMismatch

from .layer_image import Refusal

SEARCH_AGAIN = "The server no longer holds this search (it was restarted). Press Find all again: clicks and intents are kept."


def explain(error: BaseException, doing: str) -> tuple[str, str]:
    """Level (note, warning or error) and sentence for something that went wrong."""
    if isinstance(error, Refusal):
        return "warning", str(error)
    if isinstance(error, RequestCancelled):
        return "note", f"{doing}: stopped."
    if isinstance(error, ConnectionLost):
        return "error", f"{doing}: the server has gone ({error.message}). Try again: it is started anew; intents and judgements are kept."
    if isinstance(error, ResultNotFound):
        return "warning", SEARCH_AGAIN
    if isinstance(error, (NoServer, ConnectionRefused)):
        return "error", f"{error.message}. {sentence(error.hint)}"
    if isinstance(error, VersionMismatch):
        return "error", f"{error.message}. Update this plugin (pip install -U napari-sampo) or the server, so that both speak the same protocol."
    if isinstance(error, SampoError):
        return "error", f"{doing}: {error.message}. {sentence(error.hint)}"
    if isinstance(error, MemoryError):
        return "error", f"{doing}: not enough memory. Choose a smaller region."
    return "error", f"{doing}: {type(error).__name__}: {error}"


def sentence(text: str) -> str:
    """A hint of the error table as a sentence."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}" if text else ""


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}".replace(",", " ")
