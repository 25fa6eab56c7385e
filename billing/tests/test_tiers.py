"""What each tier gives, who is on which, and what the admin puts in the place of the settings."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing.models import Customer, TierOverride
from billing.tiers import LABELS, keeping_users, limits_of, tier_named, tier_of, tiers

pytestmark = pytest.mark.django_db


def test_whoever_never_dealt_with_billing_is_free(user: Any):
    assert tier_of(user).name == "free"


def test_a_customer_is_on_the_tier_that_their_record_names(user: Any):
    customer = Customer.objects.create(user=user, tier="premium")
    assert tier_of(user).name == "premium"
    customer.tier = "free"
    customer.save()
    assert tier_of(user).name == "free"


def test_a_new_customer_is_free_until_something_says_otherwise(user: Any):
    assert Customer.objects.create(user=user).tier == "free"


def test_premium_gives_more_of_everything():
    free, premium = tiers()
    assert (free.label, premium.label) == ("Free", "Premium")
    assert free.retention == timedelta(days=7) and premium.retention is None
    counts = ("upload_max_bytes", "jobs_at_once", "jobs_a_day", "requests_a_minute", "sharding_priority")
    for limit in (*counts, "haplotype_aware"):
        assert getattr(free, limit) < getattr(premium, limit), limit


def test_every_tier_can_be_chosen_for_a_customer():
    assert {value for value, _ in Customer._meta.get_field("tier").flatchoices} == set(LABELS)


def test_an_override_takes_the_place_of_what_it_names_and_of_nothing_else(user: Any):
    before = tier_of(user)
    TierOverride.objects.create(tier="free", jobs_at_once=7, haplotype_aware=True)
    after = tier_of(user)
    assert (after.jobs_at_once, after.haplotype_aware) == (7, True)
    assert (after.upload_max_bytes, after.retention) == (before.upload_max_bytes, before.retention)
    assert tiers()[0] == after


def test_a_retention_of_nought_in_the_admin_means_for_ever():
    TierOverride.objects.create(tier="free", retention_seconds=0)
    assert tier_named("free").retention is None
    TierOverride.objects.filter(tier="free").update(retention_seconds=90)
    assert tier_named("free").retention == timedelta(seconds=90)


def test_who_keeps_results_for_ever_is_known_whatever_the_admin_has_set(user: Any, other_user: Any):
    Customer.objects.create(user=other_user, tier="premium")
    assert list(keeping_users()) == [other_user.pk]
    TierOverride.objects.create(tier="free", retention_seconds=0)
    assert set(keeping_users()) == {user.pk, other_user.pk}
    TierOverride.objects.create(tier="premium", retention_seconds=9)
    assert list(keeping_users()) == [user.pk]


def test_an_upload_that_storage_could_not_take_in_one_piece_is_not_offered():
    with pytest.raises(ValidationError):
        TierOverride(tier="premium", upload_max_bytes=5 * 1024**3 + 1).full_clean()


@pytest.mark.parametrize(
    ("tier", "key", "offered"),
    [("free", "sk_test_x", True), ("premium", "sk_test_x", False), ("free", "", False)],
)
def test_more_is_offered_to_who_has_less_where_it_can_be_paid(
    user: Any, settings: Any, tier: str, key: str, offered: bool
):
    settings.STRIPE_API_KEY = key
    Customer.objects.create(user=user, tier=tier)
    assert (limits_of(user).upgrade_url == "/billing/") is offered
