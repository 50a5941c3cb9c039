"""Versions."""

#: Of this package; the same as in pyproject.toml.
VERSION = "0.2.0"
#: Of the protocol this client speaks.
PROTOCOL_VERSION = "1.0"
