"""The whole service on one machine: the embedded broker, web, worker and beat, and who looks after them."""
