"""The rows that a filter finds, as a file: made at once where they are few, by a task where they are many."""
