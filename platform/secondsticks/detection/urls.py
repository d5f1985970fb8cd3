from django.urls import path

from secondsticks.detection import (
    bulk_views,
    exports,
    review_views,
    sheet_views,
    slate_text_views,
    sound_views,
    views,
)

app_name = "detection"

urlpatterns = [
    path("projects/<uuid:uuid>/", views.board, name="board"),
    path("projects/<uuid:uuid>/board-clips/", views.board_clips, name="board-clips"),
    path("projects/<uuid:uuid>/export/<slug:format>/", exports.project_export, name="project-export"),
    path("clips/<uuid:uuid>/", views.clip, name="clip"),
    path("clips/<uuid:uuid>/progress/", views.clip_progress, name="clip-progress"),
    path("clips/<uuid:uuid>/export/<slug:format>/", exports.clip_export, name="clip-export"),
    path("clips/<uuid:uuid>/scan-again/", views.scan_again, name="scan-again"),
    path("clips/<uuid:uuid>/cancel-scan/", views.cancel_scan, name="cancel-scan"),
    path("projects/<uuid:uuid>/review/", review_views.review, name="review"),
    path("projects/<uuid:uuid>/accept-sure/", bulk_views.accept_sure, name="accept-sure"),
    path("projects/<uuid:uuid>/accept-sure/<uuid:batch>/undo/", bulk_views.take_back, name="take-back"),
    path("projects/<uuid:uuid>/contact-sheet/", sheet_views.contact_sheet, name="contact-sheet"),
    path("projects/<uuid:uuid>/contact-sheet.pdf", sheet_views.contact_sheet_pdf, name="contact-sheet-pdf"),
    path("scans/<uuid:uuid>/slate.jpg", sheet_views.slate, name="slate"),
    path("clips/<uuid:uuid>/decide/", review_views.decide_on, name="decide"),
    path("clips/<uuid:uuid>/frames/<int:frame>.jpg", review_views.frame, name="clip-frame"),
    path("clips/<uuid:uuid>/sound.json", review_views.sound, name="clip-sound"),
    path("clips/<uuid:uuid>/slate-text/", slate_text_views.slate_text, name="slate-text"),
    path("clips/<uuid:uuid>/read-slate-again/", slate_text_views.read_slate_again, name="read-slate-again"),
    path("projects/<uuid:uuid>/slate-text/", slate_text_views.slate_text_setting, name="slate-text-setting"),
    path("projects/<uuid:uuid>/sound-files/", sound_views.sound_files, name="sound-files"),
    path("clips/<uuid:uuid>/sound-link/", sound_views.sound_link, name="sound-link"),
    path("clips/<uuid:uuid>/change-sound/", sound_views.change_sound, name="change-sound"),
    path("claps/<uuid:uuid>/closed.jpg", views.clap_picture, {"which": "closed"}, name="clap-closed"),
    path("claps/<uuid:uuid>/open.jpg", views.clap_picture, {"which": "open"}, name="clap-open"),
]
