"""SAMPO in napari: click a few nuclei, get all nuclei of that type."""

from sampo_client import VERSION as __version__

__all__ = ["__version__"]
