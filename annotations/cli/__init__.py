"""The command `gas`: what the API does, from a shell. It imports nothing of the service, to start quickly."""
