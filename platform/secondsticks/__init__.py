"""Second Sticks finds the clap in footage, asks a person where it is unsure, and learns from the answer."""

__version__ = "0.1.0"
