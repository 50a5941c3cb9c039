"""Click a few nuclei, get all nuclei of that type: the SAMPO server from Python.

    import sampo_client

    with sampo_client.connect() as session:
        found = session.find_all("slide.tif", clicks=[(289, 260), (397, 247)], intent="Lymphocyte")
        found.to_geojson("lymphocytes.geojson")

Everything is explained at `Session`, `Objects` and `open_image`. Errors are `SampoError`, one class for each row of the
server's error table, in `sampo_client.errors_gen`.
"""

from .array_image import ArrayImage
from .async_session import AsyncSession, connect_async
from .batches import BatchEnd, BatchFailed
from .connection import CancelToken
from .errors import ImageProblem, MissingPackage, SampoError
from .errors_gen import *  # noqa: F401,F403 - the exceptions, by the names of the error table
from .flows import Examples, Intent, OpenedImage, Refinement
from .images import FileImage, open_image
from .results import Objects
from .session import Session, connect
from .version import PROTOCOL_VERSION, VERSION

__version__ = VERSION

__all__ = [
    "ArrayImage", "AsyncSession", "BatchEnd", "BatchFailed", "CancelToken", "Examples", "FileImage", "ImageProblem", "Intent", "MissingPackage", "Objects",
    "OpenedImage", "PROTOCOL_VERSION", "Refinement", "SampoError", "Session", "VERSION", "connect", "connect_async", "open_image",
]
