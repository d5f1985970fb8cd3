"""Annotations out and in: exports, and imports that are looked at before they are taken over."""
