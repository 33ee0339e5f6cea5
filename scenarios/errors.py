"""The one exception for what a user can mend: a wrong scenario, trace, option or folder."""

import difflib
from collections.abc import Iterable

_LONGEST = 600


class ScenarioError(Exception):
    """A mistake in the user's input: where it is, what was found and what is allowed.

    The command line prints it as one message without a traceback and exits with 2.
    """

    def __init__(self, message: str, where: str = "") -> None:
        self.message = message = one_line(message)
        self.where = where = one_line(where)
        super().__init__(f"{where}: {message}" if where else message)


def one_line(text: str) -> str:
    """A text that prints as one line of reasonable length whatever it quotes."""
    plain = text.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The hint "; did you mean 'x'?" for the allowed name most like the word, else an empty text."""
    close = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(kind: str, word: str, allowed: Iterable[str]) -> str:
    """The message for a name that is not in a list: the name, the nearest one and the whole list."""
    names = sorted(allowed)
    return f"unknown {kind} {word!r}{nearest(word, names)} (allowed: {', '.join(names)})"
