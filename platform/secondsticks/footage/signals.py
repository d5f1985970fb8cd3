"""What the footage app says to the apps to its right."""

from django.dispatch import Signal

#: A clip has been read and is ready. Sent with `clip`, inside the transaction that makes it ready: rows that
#: a receiver writes are kept or lost together with it; messages it sends belong in `transaction.on_commit`.
clip_ingested = Signal()
