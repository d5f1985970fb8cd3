"""Labelled frames to and from other programs: COCO, YOLO, Label Studio's JSON. Read with suspicion."""
