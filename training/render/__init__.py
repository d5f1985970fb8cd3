"""Draws film slates with exact truth: stills, frames and clips to train on, to test with and to show."""
