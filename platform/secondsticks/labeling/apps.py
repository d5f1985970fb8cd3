from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "secondsticks.labeling"
    verbose_name = "Labelling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from secondsticks.footage.models import Role
        from secondsticks.footage.project_pages import SETTINGS, TABS, ProjectPage
        from secondsticks.labeling import signals

        signals.connect()
        TABS.append(ProjectPage("Labelling", "labeling:queue"))
        SETTINGS.append(ProjectPage("Labelling: frames to ask about", "labeling:settings", Role.LEAD))
        SETTINGS.append(ProjectPage("Labelling: annotations, out and in", "labeling:annotations", Role.LEAD))
        SETTINGS.append(ProjectPage("Labelling: Label Studio", "labeling:label-studio", Role.LEAD))
