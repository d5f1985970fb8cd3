from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "secondsticks.labeling"
    verbose_name = "Labelling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from secondsticks.labeling import signals

        signals.connect()
