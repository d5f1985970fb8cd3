"""What is known of a project's link to a Label Studio: rows."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.db import models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac


class LinkState(models.TextChoices):
    CONNECTING = "connecting", "Being linked"
    LINKED = "linked", "Linked"
    TROUBLE = "trouble", "Trouble"


class LabelStudioLink(models.Model):
    """A project's place in a Label Studio. The token is no column: a file of our home has it (tokens.py).

    `url`: where we and browsers find Label Studio; `our_url`: where it and its browsers find us;
    `ml_url`: where it finds the ML backend, empty for none. The `ls_` numbers are those of Label Studio's
    project, view, webhook and ML backend. Whoever works on a link claims it: every write names the `attempt`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.OneToOneField("footage.Project", models.CASCADE, related_name="label_studio")
    url = models.URLField(max_length=300)
    our_url = models.URLField(max_length=300)
    ml_url = models.CharField(max_length=300, blank=True)

    ls_project = models.PositiveBigIntegerField(null=True, blank=True)
    ls_view = models.PositiveBigIntegerField(null=True, blank=True)
    ls_webhook = models.PositiveBigIntegerField(null=True, blank=True)
    ls_ml = models.PositiveBigIntegerField(null=True, blank=True)
    version = models.CharField(max_length=40, blank=True)
    model_version = models.CharField(max_length=120, blank=True, help_text="Of the proposals shown there.")

    state = models.CharField(max_length=10, choices=LinkState, default=LinkState.CONNECTING)
    error = models.TextField(blank=True)
    ml_error = models.TextField(blank=True)
    notes = models.JSONField(default=list, help_text="What was found there and could not be used.")
    reconciled_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True, help_text="When a webhook came last.")
    check_asked_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(default=list, help_text="Of the doctor: [works, sentence].")

    due_at = models.DateTimeField(db_default=Now())
    hints = models.PositiveIntegerField(default=0, help_text="How often somebody said that there is news.")
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.project} in {self.url}"

    @property
    def webhook_secret(self) -> str:
        """What Label Studio's webhooks prove themselves with; follows from our SECRET_KEY and this link."""
        return salted_hmac(
            "secondsticks.label-studio.webhook", str(self.uuid), algorithm="sha256"
        ).hexdigest()

    @property
    def is_to_be_checked(self) -> bool:
        """Whether somebody has asked for the doctor, and it has not looked since."""
        if self.check_asked_at is None:
            return False
        return self.checked_at is None or self.checked_at < self.check_asked_at

    @property
    def origin(self) -> str:
        """What browsers call Label Studio's pages in `Origin`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def label_url(self) -> str:
        """Where people label: the project's view, in its order."""
        if not (self.ls_project and self.ls_view):
            return ""
        return f"{self.url}/projects/{self.ls_project}/data?tab={self.ls_view}&labeling=1"


class LabelStudioTask(models.Model):
    """A frame that was brought there: what Label Studio was told about it last."""

    link = models.ForeignKey(LabelStudioLink, models.CASCADE, related_name="tasks")
    frame = models.ForeignKey("labeling.QueuedFrame", models.CASCADE, related_name="+")
    ls_task = models.PositiveBigIntegerField()
    model_version = models.CharField(max_length=120, blank=True)
    told = models.JSONField(default=dict, help_text="The task's data, as it should be there.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "frame"], name="one_task_per_frame_and_link")]

    def __str__(self) -> str:
        return f"task {self.ls_task} of {self.link}"


class Outcome(models.TextChoices):
    """What became of an annotation of Label Studio."""

    KEPT = "kept", "Kept"
    SAME = "same", "Says what is known"
    CONFLICT = "conflict", "Somebody here says otherwise"
    REFUSED = "refused", "Cannot be used"
    DELETED = "deleted", "Deleted there"


class LabelStudioAnswer(models.Model):
    """One annotation there, as it was seen last, and what became of it here.

    `annotation` is our row that holds what it says, if one does; `sentence` is the reason where none does.
    """

    link = models.ForeignKey(LabelStudioLink, models.CASCADE, related_name="answers")
    frame = models.ForeignKey("labeling.QueuedFrame", models.CASCADE, related_name="label_studio_answers")
    ls_annotation = models.PositiveBigIntegerField()
    updated_at = models.CharField(max_length=40, help_text="As Label Studio writes it.")
    by_name = models.CharField(max_length=150)
    boxes = models.JSONField(null=True)
    skipped = models.BooleanField(default=False)
    seconds = models.FloatField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome)
    sentence = models.TextField(blank=True)
    annotation = models.ForeignKey("labeling.Annotation", models.SET_NULL, null=True, related_name="+")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "frame", "ls_annotation"], name="one_answer_per_label_studio_annotation"
            )
        ]

    def __str__(self) -> str:
        return f"annotation {self.ls_annotation} by {self.by_name} ({self.outcome})"
