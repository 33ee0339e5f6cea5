"""What is said when a policy of the user's own does wrong: which one, where in its file, for which job."""

import traceback
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType
from typing import Any

from policies.placement import Placer
from policies.queue import QueuedJob
from scenarios.errors import ScenarioError


@dataclass(frozen=True, slots=True)
class PlugIn:
    """A policy that is not built in.

    name: the file's own name and the policy's, or what an installed package calls it. written: as a scenario names it
    from anywhere, with its parameters. policy: a callable or a Placer. file: where its code is, None where that is
    unknown; sha256: of that file as it was read.
    """

    axis: str
    name: str
    written: Any
    policy: Any
    file: str | None
    sha256: str | None
    about: str = field(init=False)

    def __post_init__(self) -> None:
        """Put axis and name together, for messages."""
        object.__setattr__(self, "about", f"{self.axis} {self.name}")

    @property
    def where(self) -> str:
        """The "file:line" of the policy's definition, or its file alone."""
        function = self.policy.place if isinstance(self.policy, Placer) else self.policy
        function = function.func if isinstance(function, partial) else function
        if not isinstance(function, FunctionType):
            function = type(function).__call__
        code = getattr(function, "__code__", None)
        return f"{self.file}:{code.co_firstlineno}" if code and code.co_filename == self.file else self.file or ""

    def asked(self, job: QueuedJob | int | None) -> str:
        """Which plug-in it is, and for a placement what it was asked for."""
        return f"{self.about}, asked for {job} chips," if type(job) is int else self.about


class PlugInError(ScenarioError):
    """A mistake of a plug-in; job is the one that it was asked about, where there is one.

    What knows the names of jobs and the time tells it on with both.
    """

    def __init__(self, message: str, where: str = "", job: QueuedJob | None = None) -> None:
        super().__init__(message, where)
        self.job = job

    def told(self, job: str, time_s: float) -> ScenarioError:
        """The same with the job's name, empty where there is none, and the simulated time [s]."""
        at = f"{job}, at {time_s:g} s" if job else f"at {time_s:g} s"
        return ScenarioError(f"{self.message} ({at})", self.where)


def raised(about: str, file: str | None, error: BaseException, job: QueuedJob | None = None) -> PlugInError:
    """The fault of code that raised: what, and the last line of its own file that was on the way."""
    job = job or job_in(file, error)
    if isinstance(error, SyntaxError) and error.filename == file:
        return PlugInError(f"{about}: is not Python: {error.msg}", f"{file}:{error.lineno or 1}", job)
    text = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
    return PlugInError(f"{about} raised {text}", line_of(file, error), job)


def line_of(file: str | None, error: BaseException) -> str:
    """The "file:line" at which an error left a file, or of where it was raised if it never was in there."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame[0] == file] or frames[-1:]
    return f"{own[-1][0]}:{own[-1][1]}" if own else file or ""


def job_in(file: str | None, error: BaseException) -> QueuedJob | None:
    """The job that a file's code was looking at when it raised: what it calls `job`, if it does."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    found = [frame.f_locals.get("job") for frame in frames]
    return next((job for job in reversed(found) if isinstance(job, QueuedJob)), None)


def _words(error: BaseException) -> str:
    """What an error says; its own code may fail at that too."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # whatever a user's exception class raises, the first error counts
        return ""
