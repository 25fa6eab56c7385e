"""The pages about tiers, and Stripe's way in."""

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("billing/", views.overview, name="overview"),
    path("billing/subscribe/", views.subscribe, name="subscribe"),
    path("billing/portal/", views.portal, name="portal"),
    path("billing/welcome/", views.welcome, name="welcome"),
    path("billing/webhook/", views.webhook, name="webhook"),
]
