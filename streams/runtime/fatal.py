"""The two ways out of a worker that may not go on: `die` while it runs, `refuse` before it has begun."""

import faulthandler
import os
import traceback
from typing import NoReturn

EXIT_FATAL = 70
"""`EX_SOFTWARE`: something unexpected while records were in work; a restart begins at the last commit."""

EXIT_REFUSED = 2
"""A wrong setting, a missing server or an unsupported feature: a restart alone will not help."""


class UnsupportedError(Exception):
    """A feature of Faust that this runtime does not carry out exactly once, and therefore refuses by name."""

    def __init__(self, feature: str, instead: str) -> None:
        super().__init__(f"{feature} is not supported by the transactional runtime: {instead}")


class RefusedError(Exception):
    """The worker must not start; the message says in one sentence what is wrong, where, and what to do."""


def die(reason: BaseException | str) -> NoReturn:
    """End the process now with exit code 70 (PIPE-03).

    Nothing is acknowledged, flushed or handed over on the way: what was not committed must not survive, and what was
    committed is read back from the changelogs. Faust's own shutdown would acknowledge events whose agent failed.
    """
    _say(f"fatal: {reason if isinstance(reason, str) else f'{type(reason).__name__}: {reason}'}")
    if isinstance(reason, BaseException):
        _write("".join(traceback.format_exception(reason)))
    if isinstance(reason, TimeoutError):
        faulthandler.dump_traceback(file=2)  # where it hangs, in every thread
    os._exit(EXIT_FATAL)


def refuse(reason: BaseException) -> NoReturn:
    """End the process with exit code 2 before any record was read, with one sentence and no traceback."""
    _say(f"refused to start: {reason}")
    os._exit(EXIT_REFUSED)


def _say(text: str) -> None:
    _write(f"millrace: {text}\n")


def _write(text: str) -> None:
    os.write(2, text.encode(errors="replace"))  # not sys.stderr: Faust redirects that into the logging of a dying loop
