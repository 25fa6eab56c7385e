"""Where results are shared; below the names of `annotations`."""

from django.urls import path

from annotations.sharing import views

urlpatterns = [
    path("jobs/<uuid:job_id>/links/", views.share_links, name="share_links"),
    path("jobs/<uuid:job_id>/links/<int:link_pk>/revoke/", views.revoke_link, name="revoke_link"),
    path("shared/<str:secret>/", views.open_link, name="open_link"),
]
