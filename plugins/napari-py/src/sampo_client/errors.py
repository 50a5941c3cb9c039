"""Errors as exceptions: one class for each row of the server's error table, each with what to do next."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class SampoError(Exception):
    """An error of the server, of the connection, or of this client.

    `code`, `summary`, `hint` and `retryable` are those of the error table; `message` says what was found here, and `data`
    holds what else the server told. `str()` gives message and hint.
    """

    code: int = -32603
    summary: str = "an error"
    hint: str = ""
    retryable: bool = False

    def __init__(self, message: str = "", *, hint: Optional[str] = None, data: Optional[Mapping[str, Any]] = None) -> None:
        self.message = message or self.summary
        self.data = dict(data or {})
        if hint is not None:
            self.hint = hint
        super().__init__(self.message)

    @property
    def name(self) -> str:
        """Name in the error table."""
        return str(self.data.get("name", type(self).__name__))

    def __str__(self) -> str:
        problems = self.data.get("problems")
        where = "".join(f" [{p.get('pointer', '')}: {p.get('expected', '')}]" for p in problems) if isinstance(problems, list) else ""
        return f"{self.message}{where} ({self.hint})" if self.hint else f"{self.message}{where}"


class ImageProblem(SampoError):
    """The picture handed in cannot be used as it is."""

    summary = "the image cannot be used"


class MissingPackage(SampoError):
    """A package that this step needs is not installed."""

    summary = "a package is missing"


def error_of(answer: Mapping[str, Any]) -> SampoError:
    """The exception for the `error` member of an answer."""
    from .errors_gen import ERRORS

    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    kind = ERRORS.get(data.get("name", ""), SampoError)
    error = kind(str(answer.get("message", "")), hint=data.get("hint"), data=data)
    if isinstance(answer.get("code"), int):
        error.code = answer["code"]
    if isinstance(data.get("retryable"), bool):
        error.retryable = data["retryable"]
    return error
