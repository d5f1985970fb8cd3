from django.apps import AppConfig


class FootageConfig(AppConfig):
    name = "secondsticks.footage"
    verbose_name = "Footage"
