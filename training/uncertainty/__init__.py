"""Which frames are worth a person's time, why in words, and which of them make a good batch.

Pure and without torch; hashes of pictures are in training.uncertainty.pictures.
"""

from training.uncertainty.batches import Candidates, Chosen, Strategy, Why, choose
from training.uncertainty.doubts import frame_doubt, frame_doubts
from training.uncertainty.looks import Look, Worth, looks_of
from training.uncertainty.worth import frames_worth_asking

__all__ = [
    "Candidates",
    "Chosen",
    "Look",
    "Strategy",
    "Why",
    "Worth",
    "choose",
    "frame_doubt",
    "frame_doubts",
    "frames_worth_asking",
    "looks_of",
]
