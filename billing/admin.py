"""Billing in the admin: who is on which tier and why, what Stripe has sent, and what a tier gives."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from billing import outgoing
from billing.enqueue import enqueue
from billing.gateway import StripeError
from billing.models import Customer, Notice, Outgoing, StripeEvent, Subscription, TierOverride
from billing.syncing import sync_subscription
from billing.tiers import tier_named


class ReadOnly(admin.ModelAdmin):
    """To look at: these records have their writers."""

    show_full_result_count = False
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.opts.concrete_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class GiftForm(forms.ModelForm):
    """Premium without a subscription: until when, and why."""

    class Meta:
        model = Customer
        fields = ("comp_until", "comp_reason")

    def save(self, commit: bool = True) -> Any:
        # The tier follows from the gift by its one writer, after all of the page is saved.
        transaction.on_commit(self._sync)
        return super().save(commit)

    def _sync(self) -> None:
        if self.instance.pk and not enqueue("sync_subscription", self.instance.pk):
            Customer.objects.want_sync(self.instance.pk)


class CustomerInline(admin.StackedInline):
    """On the user's page."""

    model = Customer
    form = GiftForm
    can_delete = False
    show_change_link = True
    verbose_name_plural = "billing"
    fields = ("tier", "comp_until", "comp_reason")
    readonly_fields = ("tier",)


class SubscriptionInline(admin.TabularInline):
    model = Subscription
    fields = readonly_fields = (
        *("stripe_id", "status", "price_id", "current_period_end", "cancel_at", "ended_at"),
        *("latest_invoice_id", "is_charged_back"),
    )
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    form = GiftForm
    list_display = ("user", "tier", "comp_until", "ends_at", "stripe_customer_id", "synced_at", "sync_error")
    list_filter = ("tier",)
    list_select_related = ("user",)
    search_fields = ("user__email", "=stripe_customer_id", "=subscriptions__stripe_id")
    show_full_result_count = False
    inlines = (SubscriptionInline,)
    actions = ("sync_now",)
    readonly_fields = (
        *("user", "tier", "tier_changed_at", "upgrades", "ends_at", "recheck_at", "stripe_customer_id"),
        *("synced_at", "sync_error", "sync_wanted", "sync_done", "locked_until"),
    )
    fieldsets = (
        (None, {"fields": ("user", "tier", "ends_at", "tier_changed_at", "upgrades")}),
        ("Gift", {"fields": ("comp_until", "comp_reason")}),
        ("Stripe", {"fields": ("stripe_customer_id", "synced_at", "sync_error", "recheck_at")}),
        ("Writer", {"fields": ("sync_wanted", "sync_done", "locked_until"), "classes": ("collapse",)}),
    )

    @admin.action(description="Compare with Stripe now", permissions=["change"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        for customer in queryset.select_related("user"):
            try:
                done = sync_subscription(customer.pk)
            except StripeError as error:
                self.message_user(request, f"{customer.user}: {error}", messages.ERROR)
                continue
            self.log_change(request, customer, "Compared with Stripe.")
            customer.refresh_from_db()
            state = f"is {customer.tier}" if done else "is being compared already"
            self.message_user(request, f"{customer.user} {state}.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly):
    list_display = ("stripe_id", "type", "state", "stripe_customer_id", "received_at", "attempts", "error")
    list_filter = ("state", "type", "received_at")
    search_fields = ("=stripe_id", "=stripe_customer_id", "type")
    actions = ("resend",)

    @admin.action(description="Process again", permissions=["change"])
    def resend(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        events = [event for event in queryset if StripeEvent.objects.resend(event.pk)]
        for event in events:
            self.log_change(request, event, "Processed again.")
        sent = [enqueue("billing_event", event.pk) for event in events]
        if all(sent):
            self.message_user(request, f"{len(sent)} events are processed again.", messages.SUCCESS)
        else:
            text = "The broker can't be reached; the sweep sends the rest when it can."
            self.message_user(request, text, messages.WARNING)


@admin.register(Outgoing)
class OutgoingAdmin(ReadOnly):
    list_display = ("key", "task", "created_at", "sent_at")
    list_filter = ("task", "created_at")
    search_fields = ("key",)
    actions = ("resend",)

    @admin.action(description="Send again", permissions=["change"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        for task in queryset:
            self.log_change(request, task, "Sent again.")
        pks = list(queryset.values_list("pk", flat=True))
        queryset.update(sent_at=None, claimed_until=None)
        sent = sum(map(outgoing.send, pks))
        level = messages.SUCCESS if sent == len(pks) else messages.WARNING
        self.message_user(request, f"{sent} of {len(pks)} tasks are sent; the sweep sends the rest.", level)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("kind", "customer", "ends_at", "created_at", "sent_at")
    list_filter = ("kind", "created_at")
    list_select_related = ("customer__user",)


@admin.register(TierOverride)
class TierOverrideAdmin(admin.ModelAdmin):
    """What a tier gives. An empty field is as the settings have it; the list shows what is in force."""

    list_display = ("tier", "in_force")
    readonly_fields = ("tier", "in_force")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Both tiers are there to be seen, whether or not anybody has overridden anything yet.
        TierOverride.objects.bulk_create(map(TierOverride, settings.TIERS), ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="in force")
    def in_force(self, override: TierOverride) -> str:
        tier = tier_named(override.tier)
        shown: Iterable[str] = (
            f"{tier.upload_max_bytes:,} bytes",
            f"kept {tier.retention or 'for ever'}",
            f"{tier.jobs_at_once} at once",
            f"{tier.jobs_a_day} in 24 h",
            "haplotype-aware" if tier.haplotype_aware else "not haplotype-aware",
            f"priority {tier.sharding_priority}",
        )
        return ", ".join(shown)
