"""The pages of uploads that come otherwise than by the plain form."""

from django.urls import path

from annotations.incoming import pages

app_name = "incoming"
urlpatterns = [
    path("jobs/new/variants/", pages.paste, name="paste"),
    path("jobs/new/address/", pages.address, name="address"),
    path("uploads/<uuid:upload_id>/", pages.upload, name="upload"),
]
