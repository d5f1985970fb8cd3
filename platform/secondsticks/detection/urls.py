from django.urls import path

from secondsticks.detection import views

app_name = "detection"

urlpatterns = [
    path("projects/<uuid:uuid>/", views.board, name="board"),
    path("projects/<uuid:uuid>/board-clips/", views.board_clips, name="board-clips"),
    path("projects/<uuid:uuid>/claps.csv", views.project_csv, name="project-csv"),
    path("projects/<uuid:uuid>/claps.json", views.project_json, name="project-json"),
    path("clips/<uuid:uuid>/", views.clip, name="clip"),
    path("clips/<uuid:uuid>/progress/", views.clip_progress, name="clip-progress"),
    path("clips/<uuid:uuid>/claps.csv", views.clip_csv, name="clip-csv"),
    path("clips/<uuid:uuid>/claps.json", views.clip_json, name="clip-json"),
    path("clips/<uuid:uuid>/scan-again/", views.scan_again, name="scan-again"),
    path("clips/<uuid:uuid>/cancel-scan/", views.cancel_scan, name="cancel-scan"),
    path("claps/<uuid:uuid>/closed.jpg", views.clap_picture, {"which": "closed"}, name="clap-closed"),
    path("claps/<uuid:uuid>/open.jpg", views.clap_picture, {"which": "open"}, name="clap-open"),
]
