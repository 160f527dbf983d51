"""The API's description as a page: Swagger UI, served by this process alone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import fastapi_offline
from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import FileResponse

import app.web
from app import errors

router = APIRouter(tags=["docs"], include_in_schema=False)

_SWAGGER = Path(str(files(fastapi_offline))) / "static"
_OURS = Path(str(files(app.web)))
_FILES = {
    "swagger-ui-bundle.js": _SWAGGER,
    "swagger-ui.css": _SWAGGER,
    "docs.js": _OURS,
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHED = "public, max-age=3600"


@router.get("/docs")
async def docs() -> FileResponse:
    """The page. Nothing on it comes from elsewhere, and nothing in the description can run."""
    return FileResponse(_OURS / "docs.html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
async def asset(name: Annotated[str, InPath(max_length=64)]) -> FileResponse:
    """A script or style of the page. Raises `NotFound`."""
    folder = _FILES.get(name)
    if folder is None:
        raise errors.NotFound
    return FileResponse(folder / name, headers={"Cache-Control": _CACHED})
