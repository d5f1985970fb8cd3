"""What the footage app says to the apps to its right."""

from django.dispatch import Signal

#: A clip has been read and is ready. Sent with `clip`, inside the transaction that makes it ready: rows that
#: a receiver writes are kept or lost together with it; messages it sends belong in `transaction.on_commit`.
clip_ingested = Signal()

#: A recorder's file has been read and is ready. Sent with `sound_file`, inside the transaction likewise.
sound_file_read = Signal()

#: A sound file was removed. Sent with `project`, inside the transaction that removed it.
sound_file_removed = Signal()

#: A watched folder is there and has been looked through. Sent with `lease`, the right to work on it, which is
#: held meanwhile, and `away_since`: when it was last seen if it was away since then, else None.
folder_visited = Signal()
