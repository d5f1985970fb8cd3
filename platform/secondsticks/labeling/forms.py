"""What leads set: how a project labels."""

from __future__ import annotations

from django import forms

from secondsticks.labeling.models import LabelingSettings

#: Fields of the form that are percentages, and the shares that they set.
PERCENT = {"random_percent": "random_share", "second_percent": "second_opinion_share"}


def percent(label: str, help_text: str, most: int = 100) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=0, max_value=most)


class LabelingForm(forms.ModelForm):
    random_percent = percent(
        "Frames drawn by chance (%)", "Some are needed to know what asking about chosen frames is worth."
    )
    second_percent = percent(
        "Frames that several people label (%)", "Shows how far people agree. Counts for new frames."
    )

    class Meta:
        model = LabelingSettings
        fields = ["strategy", "batch_size", "second_opinions", "lease_minutes"]
        labels = {
            "strategy": "Which frames to ask about",
            "batch_size": "Frames chosen at once",
            "second_opinions": "People per such frame",
            "lease_minutes": "Minutes a frame is kept for whoever opened it",
        }
        help_texts = {"batch_size": "When fewer than half of them wait, the next ones are chosen."}

    field_order = [
        *("strategy", "batch_size", "random_percent", "second_percent", "second_opinions", "lease_minutes")
    ]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for field, share in PERCENT.items():
            self.initial.setdefault(field, round(100 * getattr(self.instance, share)))

    def save(self, commit: bool = True) -> LabelingSettings:
        for field, share in PERCENT.items():
            setattr(self.instance, share, self.cleaned_data[field] / 100)
        return super().save(commit)
