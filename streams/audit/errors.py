"""Why an audit cannot be made. Each message is one sentence: which server, where, and what to do."""


class CannotAudit(RuntimeError):
    """A server does not answer, lacks what is to be read, or holds it back."""
