"""Who gives a command: the actor of what it publishes (PIPE-10)."""

import getpass
import os


def at_the_command_line() -> str:
    """The user's name; a container may not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
