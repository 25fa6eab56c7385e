"""A small stateful Stripe on this machine: for `make run` without a Stripe account, and for the tests.

It speaks HTTP to Stripe's own SDK and has pages for Checkout and the Portal. It knows customers, products,
prices, Checkout and Portal sessions, subscriptions from their first payment to their end, invoices, payments
and disputes; it has a clock that can be moved, sends signed webhooks until they are taken, and keeps its
state in a file. It takes no money and never speaks to Stripe. With DEBUG off it refuses to start.
"""
