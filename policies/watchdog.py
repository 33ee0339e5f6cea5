"""A watchdog for code of the user's own that does not end. It costs the watched code two assignments under a lock.

A thread of its own counts ticks of its own sleep, so that a process that was stopped and goes on is not blamed. Beyond
the limit it raises Overdue in the watched thread, which ends what runs as Python; then it interrupts as Ctrl-C does,
which ends a sleep or a read; what catches even that ends with the process. What never returns from one call of C code
that holds the interpreter's lock cannot be heard by any of these.
"""

import ctypes
import os
import signal
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from policies.faults import PlugInError, job_in, line_of

_T = TypeVar("_T")
_TICKS = 20  # looks per limit
_SHORTEST_TICK_S, _LONGEST_TICK_S = 0.001, 1.0
_SOFTLY = 3  # tries with Overdue, then as many as an interruption, then the process ends
_EXIT_CODE = 2  # of the user's mistakes


class Overdue(BaseException):
    """Raised in the watched thread; no Exception, so that `except Exception` lets it pass."""


class _Watch:
    """What the watched thread and the watching one share."""

    __slots__ = ("about", "fired", "limit_s", "lock", "number", "stop", "thread")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.number = 0  # of the call that is being watched, 0 for none
        self.thread = 0
        self.fired = False
        self.about = ""


class Watchdog:
    """Watches one call at a time, of one thread; calls inside a watched one belong to it."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._watch = _Watch(limit_s)
        self._calls = 0
        self._begun = False

    def call(self, about: str, file: str | None, function: Callable[..., _T], *arguments: Any) -> _T:
        """What a function answers; a PlugInError, with the line of its file, where it does not end."""
        outermost = not self._watch.number
        try:
            if not outermost:
                return function(*arguments)
            try:
                self._enter(about)
                return function(*arguments)
            finally:
                while True:
                    try:
                        self._leave()
                        break
                    except (Overdue, KeyboardInterrupt):  # it comes too late
                        if not self._watch.fired:
                            raise
        except (Overdue, KeyboardInterrupt) as error:
            if not self._watch.fired:
                raise  # the user's own Ctrl-C
            where = line_of(file, error) if file else ""
            raise PlugInError(_message(about, self.limit_s), where, job_in(file, error)) from None

    def _enter(self, about: str) -> None:
        watch = self._watch
        if not self._begun:
            self._begin()
        self._calls += 1
        with watch.lock:
            watch.about, watch.fired = about, False
            watch.thread = threading.get_ident()
            watch.number = self._calls

    def _leave(self) -> None:
        watch = self._watch
        with watch.lock:
            watch.number = 0
        if watch.fired:
            _raise_in(watch.thread, None)

    def _begin(self) -> None:
        self._begun = True
        weakref.finalize(self, self._watch.stop.set)  # the thread ends when nobody needs it
        threading.Thread(target=_look, args=(self._watch,), name="plug-in watchdog", daemon=True).start()


def _look(watch: _Watch) -> None:
    """The watching thread: see tick by tick whether it is still the same call."""
    tick_s = min(_LONGEST_TICK_S, max(_SHORTEST_TICK_S, watch.limit_s / _TICKS))
    allowed = watch.limit_s / tick_s
    seen, ticks, tries = 0, 0, 0
    while not watch.stop.wait(tick_s):
        if watch.number != seen:
            seen, ticks, tries = watch.number, 0, 0
        elif seen:
            ticks += 1
            if ticks > allowed:
                with watch.lock:
                    if watch.number == seen:
                        tries += 1
                        _interrupt(watch, tries)


def _interrupt(watch: _Watch, tries: int) -> None:
    watch.fired = True
    if tries <= _SOFTLY:
        _raise_in(watch.thread, Overdue)
    elif tries <= 2 * _SOFTLY:
        heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if heard and watch.thread == threading.main_thread().ident:
            signal.pthread_kill(watch.thread, signal.SIGINT)
    else:  # it catches all that can be raised: only now nothing is left but the end of the process
        os.write(2, f"megawatt: {_message(watch.about, watch.limit_s)} and catches every interruption\n".encode())
        os._exit(_EXIT_CODE)


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Let an exception be raised in a thread as soon as it runs Python code; None takes one back."""
    raised = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)


def _message(about: str, limit_s: float) -> str:
    return f"{about} has not ended after {limit_s:g} s (policy.plug_in_limit)"
