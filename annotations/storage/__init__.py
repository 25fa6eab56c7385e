"""Object storage: the verbs that jobs need, whatever keeps the bytes."""

from annotations.storage.port import ObjectMissing, ObjectStore, StorageError, UploadForm, object_store

__all__ = ["ObjectMissing", "ObjectStore", "StorageError", "UploadForm", "object_store"]
