"""What people type: projects, members, folders, people."""

from __future__ import annotations

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q

from secondsticks.footage.models import Project, Role
from secondsticks.markers import FORMATS


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ["name"]
        help_texts = {"name": "The production, or a part of it. Its members see all of its clips."}


class MemberForm(forms.Form):
    """Who shall join a project: somebody who has an account, by user name or e-mail address."""

    person = forms.CharField(
        label="Username or e-mail", max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=Role)

    def __init__(self, *args, project: Project, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_person(self) -> User:
        typed = self.cleaned_data["person"].strip()
        named = Q(username=typed) | Q(email__iexact=typed)
        found = list(get_user_model().objects.filter(named, is_active=True)[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                "There is no one account with this name. A site admin can add people."
            )
        if self.project.memberships.filter(user=found[0]).exists():
            raise forms.ValidationError(f"{found[0]} is a member already.")
        return found[0]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role)


class FolderForm(forms.Form):
    folder = forms.CharField(label="Folder on the server", max_length=4096, strip=False)


class WatchForm(forms.Form):
    """Which server folder to watch, and what to write about its clips."""

    watch = forms.CharField(label="Folder on the server", max_length=2000, strip=False)
    exports = forms.BooleanField(label="Write exports of its clips", required=False, initial=True)
    export_to = forms.CharField(
        label="Export folder",
        max_length=2000,
        strip=False,
        required=False,
        help_text="Left empty: beside the folder, under its name with “-claps” added. Never in the footage.",
    )
    formats = forms.MultipleChoiceField(
        label="Formats",
        choices=[(format.name, format.title) for format in FORMATS.values()],
        initial=list(FORMATS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    include_unsure = forms.BooleanField(
        label="Also claps that a person should look at; they are red", required=False, initial=True
    )

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        if cleaned.get("exports") and "formats" in cleaned and not cleaned["formats"]:
            self.add_error("formats", "Choose at least one format, or no exports.")
        return cleaned


class PersonForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["username", "email"]
        labels = {"email": "E-mail (optional)"}
        help_texts = {"username": ""}
