"""How jobs travel: the queues, and the broker in our own database that carries them.

An actor says everything at its decorator:
`@dramatiq.actor(queue_name=jobs.INGEST, max_retries=3, time_limit=jobs.HOUR)`.
Send with `transaction.on_commit(lambda: ingest.send(str(clip.uuid)))`.
"""

from typing import Any

from dramatiq.middleware import AgeLimit, Callbacks, Retries, ShutdownNotifications, TimeLimit

# Each queue costs a worker process two connections (itself and its delayed twin), and a starved pool loses
# acknowledgements: stay at four queues or fewer.
INGEST = "ingest"
DETECTION = "detection"
HOUSEKEEPING = "housekeeping"
QUEUES = (INGEST, DETECTION, HOUSEKEEPING)

# Time limits, in dramatiq's milliseconds.
MINUTE = 60_000
HOUR = 60 * MINUTE


def broker_settings(database: dict[str, Any]) -> dict[str, object]:
    """Return DRAMATIQ_BROKER for the entry of DATABASES in which the messages are kept.

    A worker is given up for dead 20 s after its last heartbeat; then its jobs go to another one.
    """
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    url = {libpq: database[django] for django, libpq in names.items() if database.get(django)}
    return {
        "OPTIONS": {
            "url": {**database["OPTIONS"], **url, "maxconn": 24},
            "results": False,
            "heartbeat_interval": 5.0,
            "heartbeat_ttl": 20.0,
            "maintenance_interval": 5.0,
        },
        "MIDDLEWARE": [
            AgeLimit(),
            TimeLimit(time_limit=10 * MINUTE),
            ShutdownNotifications(),
            Callbacks(),
            Retries(max_retries=3, min_backoff=1_000, max_backoff=MINUTE),
        ],
    }
