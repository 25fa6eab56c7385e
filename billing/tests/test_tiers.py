"""What each tier gives, and who is on which."""

from typing import Any

import pytest

from billing.models import Customer
from billing.tiers import FREE, PREMIUM, TIERS, limits_of, tier_of

pytestmark = pytest.mark.django_db


def test_whoever_never_dealt_with_billing_is_free(user: Any):
    assert tier_of(user) is FREE


def test_a_customer_is_on_the_tier_that_their_record_names(user: Any):
    customer = Customer.objects.create(user=user, tier="premium")
    assert tier_of(user) is PREMIUM
    customer.tier = "free"
    customer.save()
    assert tier_of(user) is FREE


def test_a_new_customer_is_free_until_something_says_otherwise(user: Any):
    assert Customer.objects.create(user=user).tier == FREE.name


def test_the_limits_of_a_user_are_those_of_their_tier(user: Any):
    assert limits_of(user).upload_max_bytes == FREE.upload_max_bytes < PREMIUM.upload_max_bytes


def test_premium_keeps_results_for_ever_and_free_does_not():
    assert PREMIUM.retention is None
    assert FREE.retention is not None and FREE.retention.days == 7


def test_every_tier_can_be_chosen_for_a_customer():
    assert {value for value, _ in Customer._meta.get_field("tier").flatchoices} == set(TIERS)
