"""From detections over time, and from sound, to claps and a verdict."""
