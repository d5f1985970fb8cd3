from django.contrib import admin

from secondsticks.detection.models import Checkpoint, Scan


@admin.register(Checkpoint)
class CheckpointAdmin(admin.ModelAdmin):
    list_display = ["name", "architecture", "short_sha", "project", "is_champion", "created_at"]
    readonly_fields = [field.name for field in Checkpoint._meta.fields]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Scan)
class ScanAdmin(admin.ModelAdmin):
    """To look at: scans are moved by the workers and the clip page, never by hand."""

    list_display = [
        "clip",
        "state",
        "verdict",
        "attempt",
        "worker",
        "checkpoint",
        "created_at",
        "finished_at",
    ]
    list_filter = ["state", "verdict"]
    list_select_related = ["clip", "checkpoint"]
    search_fields = ["clip__name", "uuid"]
    readonly_fields = [field.name for field in Scan._meta.fields]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
