from django.urls import path

from secondsticks.footage import clip_views, multipart_views, people, sound_views, tus, views, watched_views

app_name = "footage"

urlpatterns = [
    path("", views.projects, name="projects"),
    path("password/", people.change_password, name="password"),
    path("people/", people.people, name="people"),
    path("people/<int:person>/new-password/", people.new_password, name="new-password"),
    path("projects/new/", views.new_project, name="new-project"),
    path("projects/<uuid:uuid>/settings/", views.project_settings, name="project-settings"),
    path("projects/<uuid:uuid>/members/", views.add_member, name="add-member"),
    path("projects/<uuid:uuid>/members/<int:member>/", views.change_member, name="change-member"),
    path("projects/<uuid:uuid>/members/<int:member>/remove/", views.remove_member, name="remove-member"),
    path("projects/<uuid:uuid>/folder/", views.register_folder, name="register-folder"),
    path("projects/<uuid:uuid>/watched/", watched_views.watched_folders, name="watched-folders"),
    path("projects/<uuid:uuid>/watch/", watched_views.watch, name="watch-folder"),
    path("watched/<uuid:uuid>/pause/", watched_views.pause, name="pause-watched"),
    path("watched/<uuid:uuid>/remove/", watched_views.remove, name="remove-watched"),
    path("projects/<uuid:uuid>/uploads/", tus.create, name="project-upload"),
    path("uploads/<uuid:uuid>/", tus.upload, name="upload"),
    path("projects/<uuid:uuid>/multiparts/", multipart_views.create, name="project-multipart"),
    path("multiparts/<uuid:uuid>/", multipart_views.upload, name="multipart"),
    path("multiparts/<uuid:uuid>/parts/", multipart_views.parts, name="multipart-parts"),
    path("multiparts/<uuid:uuid>/complete/", multipart_views.complete, name="multipart-complete"),
    path("clips/<uuid:uuid>/video/", clip_views.video, name="clip-video"),
    path("clips/<uuid:uuid>/source/", clip_views.source, name="clip-source"),
    path("clips/<uuid:uuid>/poster/", clip_views.poster, name="clip-poster"),
    path("clips/<uuid:uuid>/try-again/", clip_views.try_again, name="clip-try-again"),
    path("clips/<uuid:uuid>/remove/", clip_views.remove, name="clip-remove"),
    path("sounds/<uuid:uuid>/source/", sound_views.source, name="sound-source"),
    path("sounds/<uuid:uuid>/try-again/", sound_views.try_again, name="sound-try-again"),
    path("sounds/<uuid:uuid>/remove/", sound_views.remove, name="sound-remove"),
]
