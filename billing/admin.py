"""A customer's billing, as a part of the user's page in the admin."""

from django.contrib import admin

from billing.models import Customer


class CustomerInline(admin.StackedInline):
    model = Customer
    can_delete = False
    verbose_name_plural = "billing"
