"""A project's frames in a Label Studio server, and what people say there back (docs/label-studio.md)."""
