"""Show one job's result to whoever has a link: read only, until it expires or is revoked."""
