"""The whole service on one machine: broker, web, worker, beat and Flower, and who looks after them."""
