"""Serves the champion to Label Studio (docs/ml-backend.md). Knows only `training`, and shares the store."""
