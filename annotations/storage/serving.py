"""Give a file of this machine over HTTP, whole or in part."""

from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from annotations.storage.ranges import RangeOutside, blocks, requested_range


def file_response(request: HttpRequest, path: Path, file_name: str) -> HttpResponseBase:
    """The file, or the part that a Range header asks for: for keeping or for scripts, never as a page."""
    file = path.open("rb")
    status = path.stat()
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    try:
        part = _part(request, status.st_size, etag)
    except RangeOutside:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{status.st_size}"})
    response: FileResponse | StreamingHttpResponse
    if part is None:
        response = FileResponse(file, content_type="application/octet-stream")
        response["Content-Length"] = str(status.st_size)
    else:
        response = StreamingHttpResponse(
            blocks(file, part), status=206, content_type="application/octet-stream"
        )
        response["Content-Length"] = str(len(part))
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{status.st_size}"
    response["Content-Disposition"] = content_disposition_header(True, file_name) or "attachment"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _part(request: HttpRequest, size_bytes: int, etag: str) -> range | None:
    # A client that resumes says which version it has; a part of another one would spoil its file.
    if request.headers.get("If-Range", etag) != etag:
        return None
    return requested_range(request.headers.get("Range", ""), size_bytes)
