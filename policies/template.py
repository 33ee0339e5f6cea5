"""The starting points that `megawatt new policy` writes: a policy that works on each axis, and its test."""

import keyword
import re
from pathlib import Path

from scenarios.errors import ScenarioError

_HEAD = '''\
"""The {axis} {name}: say here what it is for.

Run:   megawatt run hello --policy {axis}={name}.py:{name}
Test:  pytest test_{name}.py
"""

'''
_ORDER = '''\
from policies.queue import QueuedJob


def {name}(job: QueuedJob) -> float:
    """Sort key, the lowest goes first: chip-seconds by the user's estimate. Ties go to the earlier submission."""
    # A job has: submit_s, shape.chips, shape.pools (those it may use), estimate_s(pool), priority, deadline_s, tenant
    # (a number) and job_class (its position in the scenario). It is asked about once, when it joins the queue. For
    # parameters make this a class with __init__(self, weight) and __call__(self, job), chosen as
    # {{{name}.py:{name}: {{weight: 2}}}}.
    return job.shape.chips * min(job.estimate_s(pool) for pool in job.shape.pools)
'''
_PLACEMENT = '''\
from policies.placement import pack
from topologies.free import FreeChips, Placement, lowest


def {name}(free: FreeChips, chips: int, avoid: int) -> Placement | None:
    """(domain, chips) pairs of one gang: the domain with the most free chips; as pack where it needs more than one."""
    # free is one pool: domain_chips, free (in all), in_domain(at), levels(chips, avoid), fullest(chips, avoid), copy().
    # avoid has a bit for each domain to keep out of. None: it does not fit, and the job waits.
    if chips > free.domain_chips:
        return pack(free, chips, avoid)
    levels = list(free.levels(chips, avoid))  # (free chips, domains that have as many, as bits), rising
    if not levels:
        return None
    _, domains = levels[-1]
    return ((lowest(domains, 1)[0], chips),)
'''
_BACKFILL = '''\
from policies.placement import Placer
from policies.queues import Order
from policies.trial import Trial
from policies.view import Decisions, View
from topologies.plant import Shape

DEPTH = 10


def {name}(view: View, order: Order, placer: Placer) -> Decisions:
    """Whoever fits starts, but only the first DEPTH jobs of the queue are looked at."""
    # view has: now_s, queue, free (by pool), headroom (power), running (by pool, with planned ends). Change nothing of
    # it: a Trial has copies, on which find looks for a pool and a place and start takes them. The queue
    # knows its order.
    trial = Trial(view, placer)
    blocked: dict[Shape, str] = {{}}  # why jobs of a shape wait, for the accounts of the run
    walk = view.queue.walk(view, trial.starts)
    for looked, job in enumerate(walk):
        if looked == DEPTH:
            break
        if job.shape not in blocked:
            found = trial.find(job.shape)
            if found is None:
                blocked[job.shape] = trial.reason(job.shape)
            else:
                trial.start(job, *found)
        walk.next()
    return Decisions(trial.starts, trial.reasons(blocked))
'''
_TEST_HEAD = '''\
"""{name} alone with plain objects, and in a whole run."""

from pathlib import Path

{imports}
FILE = Path(__file__).with_name("{name}.py")


'''
_TEST_TAIL = """

def test_a_whole_run_completes_jobs(tmp_path):
    setting = f"policy.{axis}={{FILE}}:{name}", "--policy"
    done = run(find("hello"), [setting], None, tmp_path / "out", False, False, lambda _: None)
    assert done.result.summary["completed_jobs"] > 0
"""
_TESTS = {
    "order": """\
def job(row, chips, estimate_s):
    shape = Shape(pools=(0,), chips=chips, pace_s=(1.0,), draw_nw=(0,))
    return QueuedJob(row, shape, submit_s=0.0, estimate=estimate_s)


def test_a_small_job_goes_before_a_large_one_as_long():
    {name} = from_file("order", FILE, "{name}")
    assert {name}(job(0, chips=1, estimate_s=60.0)) < {name}(job(1, chips=8, estimate_s=60.0))
""",
    "placement": """\
def test_a_small_gang_goes_to_the_emptiest_domain():
    {name} = from_file("placement", FILE, "{name}")
    free = FreeChips(domains=3, domain_chips=8)
    free.take(((0, 6), (1, 1)))
    assert {name}(free, 2, avoid=0) == ((2, 2),)
    assert {name}(free, 2, avoid=0b100) == ((1, 2),)
    assert {name}(free, 25, avoid=0) is None
""",
    "backfill": """\
def waiting(row, chips):
    shape = Shape(pools=(0,), chips=chips, pace_s=(1.0,), draw_nw=(0,))
    return QueuedJob(row, shape, submit_s=float(row), estimate=60.0)


def test_a_small_job_passes_one_that_does_not_fit():
    {name} = from_file("backfill", FILE, "{name}")
    queue = queue_for(fifo)
    for job in (waiting(0, chips=8), waiting(1, chips=2)):
        queue.add(job)
    view = View(0.0, queue, [FreeChips(1, 4)], Headroom(None, ()), running=[[]])
    decisions = {name}(view, fifo, PACK)
    assert [(start.job.row, start.placement) for start in decisions.starts] == [(1, ((0, 2),))]
    assert list(decisions.blocked.values()) == ["no room"]
""",
}
_IMPORTS = {
    "order": """\
from policies.plug_ins import from_file
from policies.queue import QueuedJob
from scenarios.files import find
from sim.run import run
from topologies.plant import Shape
""",
    "placement": """\
from policies.plug_ins import from_file
from scenarios.files import find
from sim.run import run
from topologies.free import FreeChips
""",
    "backfill": """\
from policies.order import fifo
from policies.placement import PACK
from policies.plug_ins import from_file
from policies.queue import QueuedJob
from policies.queues import queue_for
from policies.view import View
from scenarios.files import find
from sim.run import run
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.plant import Shape
""",
}
_BODIES = {"order": _ORDER, "placement": _PLACEMENT, "backfill": _BACKFILL}


def write_policy(name: str, axis: str) -> tuple[Path, Path]:
    """Write NAME.py and test_NAME.py into the current folder; ScenarioError for a bad name or a file that is there."""
    stem = name.removesuffix(".py")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", stem) or keyword.iskeyword(stem):
        text = "allowed: up to 100 letters, digits and _, no digit first, and no word of Python's own"
        raise ScenarioError(text, f"new policy {name}")
    path, test = Path(f"{stem}.py"), Path(f"test_{stem}.py")
    for file in (path, test):
        if file.exists() or file.is_symlink():
            raise ScenarioError("exists already and is left as it is", str(file))
    _write(path, (_HEAD + _BODIES[axis]).format(name=stem, axis=axis))
    text = (_TEST_HEAD + _TESTS[axis] + _TEST_TAIL).format(name=stem, axis=axis, imports=_IMPORTS[axis])
    try:
        _write(test, text)
    except ScenarioError:
        path.unlink()  # both or none
        raise
    return path, test


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ScenarioError("exists already and is left as it is", str(path)) from None
    except OSError as error:
        raise ScenarioError(f"cannot be written: {error.strerror}", str(path)) from None
