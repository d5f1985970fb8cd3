from django.apps import AppConfig


class FootageConfig(AppConfig):
    name = "secondsticks.footage"
    verbose_name = "Footage"

    def ready(self) -> None:
        from secondsticks.footage import discarded

        discarded.listen()
