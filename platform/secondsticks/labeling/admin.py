from django.contrib import admin

from secondsticks.labeling.models import Annotation, QueuedFrame


class ToLookAt(admin.ModelAdmin):
    """The queue and the history are written by what people do, never by hand."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(QueuedFrame)
class QueuedFrameAdmin(ToLookAt):
    list_display = ["clip", "frame", "state", "worth", "why", "version", "leased_to", "leased_until"]
    list_filter = ["state", "why"]
    list_select_related = ["clip", "leased_to"]
    search_fields = ["clip__name", "uuid"]


@admin.register(Annotation)
class AnnotationAdmin(ToLookAt):
    list_display = ["frame", "number", "by_name", "origin", "at"]
    list_filter = ["origin"]
    list_select_related = ["frame"]
    search_fields = ["by_name", "frame__uuid"]
