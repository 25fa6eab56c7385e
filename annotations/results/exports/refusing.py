"""What an export can't be."""


class ExportRefused(Exception):
    """The rows can't be given in this form. Says why, and what to do."""
