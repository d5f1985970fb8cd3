"""What people type: projects, members, folders, people."""

from __future__ import annotations

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q

from secondsticks.footage.models import Project, Role


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


class PersonForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["username", "email"]
        labels = {"email": "E-mail (optional)"}
        help_texts = {"username": ""}
