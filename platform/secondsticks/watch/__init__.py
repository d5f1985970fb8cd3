"""A folder is scanned as it fills: `secondsticks watch`, and what the web's watched folders share with it.

No Django, no database. See docs/exports.md.
"""
