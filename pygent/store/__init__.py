"""Sessions on disk: every durable event is one row, so that resuming is reading it back."""

from pygent.store.base import Glimpse, SeqTakenError, StoredSession, StoreError
from pygent.store.database import Store
from pygent.store.searching import FoundSession

__all__ = ["FoundSession", "Glimpse", "SeqTakenError", "Store", "StoreError", "StoredSession"]
