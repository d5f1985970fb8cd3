"""One place for what machines share: a folder or an S3 bucket, behind the same few words. Torch-free.

It carries runs, datasets, checkpoints, `champion.json` and frames (`frames/<clip uuid>/<frame>.jpg`).
"""

from training.store.keys import check_key
from training.store.opening import open_store
from training.store.store import Store, StoreError, Trouble

__all__ = ["Store", "StoreError", "Trouble", "check_key", "open_store"]
