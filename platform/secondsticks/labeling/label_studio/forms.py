"""What leads say to link a project to a Label Studio."""

from __future__ import annotations

from typing import Any

from django import forms

from secondsticks.labeling.label_studio.addresses import AddressRefused, cleaned, require_allowed
from secondsticks.labeling.label_studio.links import LabelStudioLink

URL = "Address of Label Studio"
OURS = "Address of Second Sticks, as Label Studio and its people reach it"
ML = "Address of the ML backend, as Label Studio reaches it"


class LinkForm(forms.Form):
    url = forms.CharField(label=URL, max_length=300, help_text="For example http://127.0.0.1:8080")
    token = forms.CharField(
        label="Token",
        max_length=2000,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    our_url = forms.CharField(
        label=OURS, max_length=300, help_text="Its webhooks come here, and the pictures from here."
    )
    ml_url = forms.CharField(
        label=ML,
        max_length=300,
        required=False,
        help_text="Empty: none. Proposals are pushed in any case; with it, other tasks there get some too.",
    )

    def __init__(self, *args: Any, link: LabelStudioLink | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.link = link
        self.fields["token"].help_text = (
            "Empty: the one that is kept." if link else "A personal access token: Account & Settings there."
        )

    def clean_url(self) -> str:
        url = self._address("url", URL)
        try:
            require_allowed(url)
        except AddressRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return url

    def clean_our_url(self) -> str:
        return self._address("our_url", OURS)

    def clean_ml_url(self) -> str:
        return self._address("ml_url", ML) if self.cleaned_data["ml_url"].strip() else ""

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        keeps = self.link is not None and said.get("url") == self.link.url
        if not said.get("token") and "token" not in self.errors and not keeps:
            self.add_error("token", "Give a token of this Label Studio.")
        return said

    def clean_token(self) -> str:
        token = self.cleaned_data["token"]
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise forms.ValidationError("This is no token: it has no spaces and no odd characters.")
        return token

    def _address(self, name: str, label: str) -> str:
        try:
            return cleaned(self.cleaned_data[name], label)
        except AddressRefused as refused:
            raise forms.ValidationError(str(refused)) from None
