"""Serves the champion to Label Studio (joins with the labelling loop)."""
