"""How the command ends when it can't go on."""

OK, FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


class CommandError(Exception):
    """Ends the command; the message tells its user what to do."""

    exit_code = FAILED


class UsageError(CommandError):
    """What was asked for can't be: a wrong argument, no token."""

    exit_code = USAGE


class Unreachable(CommandError):
    """The service did not answer for as long as one waits."""

    exit_code = UNREACHABLE


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""
