from django.contrib import admin

from secondsticks.footage.models import Clip, Membership, Project, SoundFile


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ["name", "sample", "created_at", "created_by"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(Clip)
class ClipAdmin(admin.ModelAdmin):
    """To look, not to write: the states of a clip are moved by its jobs."""

    list_display = ["name", "project", "state", "proxy_state", "failures", "updated_at"]
    list_filter = ["state", "proxy_state", "origin"]
    search_fields = ["name", "uuid"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False


@admin.register(SoundFile)
class SoundFileAdmin(ClipAdmin):
    list_display = ["name", "project", "state", "sample_rate", "channels", "failures", "updated_at"]
    list_filter = ["state", "origin"]
