"""What a person must put right. Each message is one sentence: which server, where, and what to do.

StackError
 ├── NotInstalled     a program of the operating system is missing
 ├── DownloadFailed   Maven did not bring the jars
 ├── PortTaken        a stranger listens where a server of ours should
 ├── NotReady         a server ended, or did not answer in time
 └── BadRequest       an unknown instance, server or option
"""


class StackError(Exception):
    """The root of the errors above; the command line prints it and exits with 2."""


class NotInstalled(StackError):
    """A program of the operating system is missing and was not installed."""


class DownloadFailed(StackError):
    """Maven did not bring the jars."""


class PortTaken(StackError):
    """A process that is not ours listens on a port that a server needs."""


class NotReady(StackError):
    """A server ended while it was starting, or did not answer in time."""


class BadRequest(StackError):
    """The instance, the server or the option does not exist."""
