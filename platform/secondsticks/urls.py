"""The table of addresses: our apps, signing in and out, the admin site, and two questions for machines."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from secondsticks import http

handler500 = "secondsticks.http.server_error"

urlpatterns = [
    path("healthz", http.healthz, name="healthz"),
    path("readyz", http.readyz, name="readyz"),
    path("sign-in/", auth.LoginView.as_view(redirect_authenticated_user=True), name="sign-in"),
    path("sign-out/", auth.LogoutView.as_view(), name="sign-out"),
    path("admin/", admin.site.urls),
    path("", include("secondsticks.footage.urls")),
    path("", include("secondsticks.detection.urls")),
    path("", include("secondsticks.labeling.urls")),
]
