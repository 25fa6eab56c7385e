"""Cold storage: five verbs, whatever keeps the bytes."""

from archival.storage.port import (
    Abandoned,
    ArchiveMissing,
    CapacityUnavailable,
    ColdStorage,
    ColdStorageError,
    Inventory,
    InventoryNotReady,
    NotThawed,
    Progress,
    Retrieval,
    RetrievalOption,
    StoredArchive,
    cold_storage,
)

__all__ = [
    "Abandoned",
    "ArchiveMissing",
    "CapacityUnavailable",
    "ColdStorage",
    "ColdStorageError",
    "Inventory",
    "InventoryNotReady",
    "NotThawed",
    "Progress",
    "Retrieval",
    "RetrievalOption",
    "StoredArchive",
    "cold_storage",
]
