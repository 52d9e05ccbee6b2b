"""What the user did that cannot work, in words for the user."""


class InputError(Exception):
    """Bad input or environment: one sentence that says what, one that says what to do.

    The command line prints the text as it is and exits with 2; a traceback is never shown.
    """


class NotFinite(InputError):
    """A loss or a logit became NaN or infinite. An input error: rates or weights are to blame."""


class CheckFailed(Exception):
    """A check that the user asked for failed; the text says which. Exit code 3."""
