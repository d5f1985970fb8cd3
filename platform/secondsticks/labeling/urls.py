from django.urls import path

from secondsticks.labeling import api, pictures, signed_pictures, views
from secondsticks.labeling.exchange import views as exchange
from secondsticks.labeling.label_studio import views as label_studio

app_name = "labeling"

urlpatterns = [
    path("projects/<uuid:uuid>/annotations/", exchange.out_and_in, name="annotations"),
    path("projects/<uuid:uuid>/annotations.zip", exchange.annotations_zip, name="annotations-zip"),
    path("projects/<uuid:uuid>/annotations/import/", exchange.import_file, name="import-file"),
    path("imports/<uuid:uuid>/", exchange.one_import, name="import"),
    path("imports/<uuid:uuid>/take/", exchange.take, name="import-take"),
    path("imports/<uuid:uuid>/take-back/", exchange.take_back, name="import-take-back"),
    path("imports/<uuid:uuid>/forget/", exchange.forget, name="import-forget"),
    path("projects/<uuid:uuid>/queue/", views.queue, name="queue"),
    path("projects/<uuid:uuid>/label/", views.label, name="label"),
    path("projects/<uuid:uuid>/label/settings/", views.label_settings, name="settings"),
    path("projects/<uuid:uuid>/label/next/", api.next_frame, name="next"),
    path("frames/<uuid:uuid>/take/", api.take, name="take"),
    path("frames/<uuid:uuid>/save/", api.save, name="save"),
    path("frames/<uuid:uuid>/skip/", api.skip, name="skip"),
    path("frames/<uuid:uuid>/undo/", api.undo, name="undo"),
    path("frames/<uuid:uuid>/keep-lease/", api.keep_lease, name="keep-lease"),
    path("frames/<uuid:uuid>/release/", api.release, name="release"),
    path("frames/<uuid:uuid>/draft/", api.draft, name="draft"),
    path("frames/<uuid:uuid>/history/", api.history, name="history"),
    path("frames/<uuid:uuid>/compare/", api.compare, name="compare"),
    path("frames/<uuid:uuid>/picture.jpg", pictures.picture, name="picture"),
    path("frames/<uuid:uuid>/small.jpg", pictures.small_picture, name="small-picture"),
    path("frames/<uuid:uuid>/near/<int:frame>.jpg", pictures.neighbour, name="neighbour"),
    path("projects/<uuid:uuid>/label-studio/", label_studio.label_studio, name="label-studio"),
    path("projects/<uuid:uuid>/label-studio/state/", label_studio.state, name="label-studio-state"),
    path("projects/<uuid:uuid>/label-studio/sync/", label_studio.sync_now, name="label-studio-sync"),
    path(
        "projects/<uuid:uuid>/label-studio/settle/",
        label_studio.settle,
        name="label-studio-settle",
    ),
    path(
        "projects/<uuid:uuid>/label-studio/unlink/",
        label_studio.unlink,
        name="label-studio-unlink",
    ),
    path("label-studio/<uuid:uuid>/webhook/", label_studio.webhook, name="label-studio-webhook"),
    path("label-studio/pictures/<str:signed>.jpg", signed_pictures.signed_picture, name="signed-picture"),
]
