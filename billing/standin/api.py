"""Stripe's API, as far as the service uses it and a person at the stand-in needs it.

An operation names the parameters that it knows; a test holds these against the SDK's. Another one is refused,
as Stripe does.
"""

import copy
import json
import re
from collections.abc import Callable

from billing.gateway import api_version
from billing.standin import life, objects
from billing.standin.account import Account
from billing.standin.errors import ApiError, invalid
from billing.standin.objects import Json
from billing.standin.parameters import Parameters, boolean, only

LARGEST_PAGE = 100
DEFAULT_PAGE = 10
PAGING = ("limit", "starting_after")
Operation = Callable[..., Json]
OPERATIONS: list[tuple[str, re.Pattern[str], Operation]] = []


def operation(method: str, path: str) -> Callable[[Operation], Operation]:
    """`{id}` in the path is handed on as an argument."""
    pattern = re.compile(path.replace("{id}", r"(\w+)"))

    def register(function: Operation) -> Operation:
        OPERATIONS.append((method, pattern, function))
        return function

    return register


class Api:
    """Answers requests; `base` is the address of the stand-in's own pages."""

    def __init__(self, account: Account, api_key: str, base: str) -> None:
        self.account = account
        self.base = base
        self._api_key = api_key

    def answer(
        self, method: str, path: str, given: Parameters, headers: dict[str, str]
    ) -> tuple[int, Json, bool]:
        """Status, body, and whether it is an earlier answer given again."""
        try:
            self._let_in(headers)
            key = headers.get("idempotency-key", "") if method == "POST" else ""
            with self.account.lock:
                life.advance(self.account, 0)
                return self._once(key, method, path, given)
        except ApiError as error:
            return error.status, error.body, False

    def _let_in(self, headers: dict[str, str]) -> None:
        if headers.get("authorization") != f"Bearer {self._api_key}":
            raise invalid("Invalid API Key provided.", status=401)
        version = headers.get("stripe-version")
        if version != api_version():
            raise invalid(f"Invalid Stripe API version: {version}. This stand-in speaks {api_version()}.")

    def _once(self, key: str, method: str, path: str, given: Parameters) -> tuple[int, Json, bool]:
        request = {"path": path, "given": json.dumps(given, sort_keys=True)}
        if key and (earlier := self.account.answers.get(key)):
            if earlier["request"] != request:
                message = (
                    f"Keys for idempotent requests can only be used with the same parameters. Key: {key}"
                )
                raise ApiError(400, "idempotency_error", message)
            return 200, earlier["body"], True
        body = self._operate(method, path, given)
        if method != "GET":
            if key:
                self.account.answers[key] = {"request": request, "body": body}
            self.account.save()
        return 200, body, False

    def _operate(self, method: str, path: str, given: Parameters) -> Json:
        for known_method, pattern, function in OPERATIONS:
            if method == known_method and (match := pattern.fullmatch(path)):
                answer = function(self, given, *match.groups())
                return expanded(self.account, answer, given.get("expand", []))
        raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)


def expanded(account: Account, answer: Json, paths: list[str]) -> Json:
    """A copy with whole objects where `paths` asks for them, without what is only given when asked for."""
    answer = copy.deepcopy(answer)
    split = [path.split(".") for path in paths]
    return {**answer, **_expand(account, answer, split)}


def _expand(account: Account, thing: Json, paths: list[list[str]]) -> Json:
    if thing["object"] == "invoice" and not any(path[0] == "payments" for path in paths):
        thing.pop("payments", None)
    for name in {path[0] for path in paths}:
        inner = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        value = thing.get(name)
        if isinstance(value, str) and value in account.objects:
            thing[name] = _expand(account, copy.deepcopy(account.objects[value]), inner)
        elif isinstance(value, list):
            thing[name] = [_expand(account, entry, inner) for entry in value]
        elif name not in thing:
            raise invalid(f"This property cannot be expanded ({name}).", param="expand")
    if thing["object"] == "list" and not paths:
        thing["data"] = [_expand(account, entry, []) for entry in thing["data"]]
    return thing


def retrieval(kind: str, path: str, *, param: str = "id") -> None:
    """An operation that gives one object by its id; `param` is what an error calls the id."""

    @operation("GET", f"{path}/{{id}}")
    def retrieve(api: Api, given: Parameters, object_id: str) -> Json:
        only(given)
        return api.account.get(kind, object_id, param=param)


def listing(kind: str, path: str, *filters: str) -> Operation:
    """An operation that gives pages of one kind's objects, of those with the given values of `filters`."""

    @operation("GET", path)
    def list_(api: Api, given: Parameters) -> Json:
        only(given, *filters, *PAGING)
        wanted = {name: given[name] for name in filters if name in given}
        return page(given, path, api.account.all(kind, **wanted))

    return list_


def page(given: Parameters, url: str, found: list[Json]) -> Json:
    """One page of a list: `limit` things after `starting_after`."""
    limit = int(given.get("limit", DEFAULT_PAGE))
    if not 1 <= limit <= LARGEST_PAGE:
        raise invalid(f"Invalid limit: must be between 1 and {LARGEST_PAGE}.", param="limit")
    if after := given.get("starting_after"):
        ids = [thing["id"] for thing in found]
        if after not in ids:
            raise invalid(f"No such object: '{after}'", code="resource_missing", param="starting_after")
        found = found[ids.index(after) + 1 :]
    return objects.list_of(url, found[:limit], has_more=len(found) > limit)


@operation("POST", "/v1/customers")
def create_customer(api: Api, given: Parameters) -> Json:
    only(given, "email", "metadata", "name")
    account = api.account
    customer = objects.customer(account.now(), given.get("email", ""), given.get("metadata", {}))
    account.add(customer)
    account.emit("customer.created", customer)
    return customer


@operation("DELETE", "/v1/customers/{id}")
def delete_customer(api: Api, given: Parameters, customer_id: str) -> Json:
    only(given)
    return life.forget(api.account, api.account.get("customer", customer_id))


@operation("POST", "/v1/products")
def create_product(api: Api, given: Parameters) -> Json:
    only(given, required=("name",))
    return api.account.add(objects.product(api.account.now(), given["name"]))


@operation("POST", "/v1/prices")
def create_price(api: Api, given: Parameters) -> Json:
    only(given, "recurring", required=("currency", "product", "unit_amount"))
    product = api.account.get("product", given["product"], param="product", status=400)
    if given.get("recurring") != {"interval": "month"}:
        raise invalid("This stand-in knows monthly prices only.", param="recurring[interval]")
    amount = int(given["unit_amount"])
    return api.account.add(objects.price(api.account.now(), product["id"], amount, given["currency"]))


@operation("POST", "/v1/checkout/sessions")
def create_checkout_session(api: Api, given: Parameters) -> Json:
    only(
        given,
        *("cancel_url", "client_reference_id", "metadata", "subscription_data"),
        required=("mode", "customer", "line_items", "success_url"),
    )
    if given["mode"] != "subscription":
        raise invalid("This stand-in sells subscriptions only.", param="mode")
    account = api.account
    account.get("customer", given["customer"], param="customer", status=400)
    price = account.get(
        "price", given["line_items"][0].get("price", ""), param="line_items[0][price]", status=400
    )
    session = account.add(objects.checkout_session(account.now(), api.base, given))
    metadata = given.get("subscription_data", {}).get("metadata", {})
    account.carts[session["id"]] = {"price": price["id"], "metadata": metadata}
    return session


@operation("POST", "/v1/billing_portal/sessions")
def create_portal_session(api: Api, given: Parameters) -> Json:
    only(given, "return_url", required=("customer",))
    account = api.account
    account.get("customer", given["customer"], param="customer", status=400)
    session = objects.portal_session(account.now(), api.base, given["customer"], given.get("return_url", ""))
    return account.add(session)


@operation("GET", "/v1/subscriptions")
def list_subscriptions(api: Api, given: Parameters) -> Json:
    only(given, "customer", "status", *PAGING)
    customer = given.get("customer")
    if customer:
        api.account.get("customer", customer, param="customer", status=400)
    found = api.account.all("subscription", **({"customer": customer} if customer else {}))
    status = given.get("status")
    if status is None:
        found = [subscription for subscription in found if subscription["status"] != "canceled"]
    elif status != "all":
        found = [subscription for subscription in found if subscription["status"] == status]
    return page(given, "/v1/subscriptions", found)


@operation("POST", "/v1/subscriptions/{id}")
def update_subscription(api: Api, given: Parameters, subscription_id: str) -> Json:
    only(given, required=("cancel_at_period_end",))
    subscription = api.account.get("subscription", subscription_id)
    life.cancel_at_period_end(api.account, subscription, boolean(given["cancel_at_period_end"]))
    return subscription


@operation("DELETE", "/v1/subscriptions/{id}")
def cancel_subscription(api: Api, given: Parameters, subscription_id: str) -> Json:
    only(given)
    subscription = api.account.get("subscription", subscription_id)
    life.cancel_now(api.account, subscription)
    return subscription


retrieval("customer", "/v1/customers")
retrieval("price", "/v1/prices", param="price")
retrieval("checkout.session", "/v1/checkout/sessions", param="session")
retrieval("subscription", "/v1/subscriptions")
retrieval("payment_intent", "/v1/payment_intents", param="intent")
retrieval("event", "/v1/events")
list_checkout_sessions = listing("checkout.session", "/v1/checkout/sessions", "customer", "status")
list_invoices = listing("invoice", "/v1/invoices", "customer")
list_disputes = listing("dispute", "/v1/disputes", "payment_intent")
list_events = listing("event", "/v1/events", "type")
