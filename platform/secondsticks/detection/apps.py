from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "secondsticks.detection"
    verbose_name = "Detection"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from secondsticks.detection import signals
        from secondsticks.footage.project_pages import TABS, ProjectPage

        signals.connect()
        TABS.append(ProjectPage("Clips", "detection:board"))
