"""One uploaded file, from the request's body straight into a draft of the local storage."""

import hashlib
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from annotations.storage.drafts import Draft

FILE_FIELD = "file"


class DraftUploadHandler(FileUploadHandler):
    """Takes the first file of the form, in blocks, and no byte more than allowed."""

    chunk_size = 1024 * 1024

    def __init__(self, request: HttpRequest, draft: Draft, max_bytes: int) -> None:
        super().__init__(request)
        self._draft = draft
        self._max_bytes = max_bytes
        self._digest = hashlib.md5(usedforsecurity=False)
        self.received_name: str | None = None
        self.received_bytes = 0
        self.is_complete = False

    @property
    def is_too_large(self) -> bool:
        return self.received_bytes > self._max_bytes

    @property
    def etag(self) -> str:
        """As S3 gives it: the MD5 of the object, in quotes."""
        return f'"{self._digest.hexdigest()}"'

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FILE_FIELD or self.received_name is not None:
            raise SkipFile
        self.received_name = self.file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        if self.is_too_large:
            # Read the rest without keeping it: a browser shows our answer only once it has sent everything.
            raise StopUpload(connection_reset=False)
        self._digest.update(raw_data)
        self._draft.file.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        # Django asks only once it has seen the boundary behind the file: a broken upload never comes here.
        self.is_complete = True
