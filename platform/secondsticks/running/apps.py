from django.apps import AppConfig


class RunningConfig(AppConfig):
    name = "secondsticks.running"
    label = "running"
