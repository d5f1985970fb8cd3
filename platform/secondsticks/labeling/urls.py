from django.urls import path

from secondsticks.labeling import api, pictures, views

app_name = "labeling"

urlpatterns = [
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
]
