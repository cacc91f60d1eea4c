from django.apps import AppConfig, apps


class SumoK8Config(AppConfig):
    name = "sumok8"
    verbose_name = "SUMO-K8"

    def ready(self) -> None:
        apps.get_app_config("axes").verbose_name = "Sign-in attempts"  # on the admin's pages
        from sumok8 import checks, schema  # noqa: F401 - Django and drf-spectacular find them by their import
