"""What a lead says about a file that they bring."""

from __future__ import annotations

from django import forms

from secondsticks.labeling.exchange.receiving import MOST_BYTES
from training.slates import State

LONGEST_LABEL = 100


class ImportForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="COCO (JSON, or a zip with its pictures), Label Studio’s JSON export, or a YOLO zip.",
        widget=forms.FileInput(attrs={"accept": ".json,.zip"}),
    )
    open_names = forms.CharField(
        label="Labels in the file that mean open", initial="open", help_text="Several: with commas between."
    )
    closed_names = forms.CharField(label="Labels in the file that mean closed", initial="closed")
    source = forms.CharField(
        label="Where its pictures are from",
        max_length=100,
        required=False,
        help_text="A film or a camera roll. Pictures of one source are never both learned from and tested "
        "on. Empty: the file’s name.",
    )
    empty = forms.BooleanField(
        label="Pictures without a box show no slate",
        required=False,
        help_text="Choose this only if somebody looked at all of them. Otherwise they are left out.",
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MOST_BYTES >> 30} GB: import it on the server with "
                "manage.py import_annotations."
            )
        return file

    def clean(self):
        cleaned = super().clean() or {}
        names: dict[str, str] = {}
        for state in State:
            for name in names_in(cleaned.get(f"{state}_names", "")):
                if names.setdefault(name, str(state)) != str(state):
                    raise forms.ValidationError(f"“{name}” cannot mean both open and closed.")
        cleaned["names"] = names
        return cleaned


def names_in(text: str) -> list[str]:
    return [name.strip()[:LONGEST_LABEL] for name in text.split(",") if name.strip()]
