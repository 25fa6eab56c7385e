"""What a user can do about a result by hand."""

from django.urls import path

from archival import views

app_name = "archival"
urlpatterns = [
    path("jobs/<uuid:job_id>/archive/", views.archive, name="archive"),
    path("jobs/<uuid:job_id>/retrieve/", views.retrieve, name="retrieve"),
]
