"""Signed messages to addresses of users, when their jobs end."""
