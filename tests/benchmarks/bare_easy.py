"""The yardstick of replay.py: EASY on identical processors in bare SimPy. Prints the sum of all starts only."""

import gzip
import sys

import simpy


def main(path: str, processors: int, jobs: int) -> None:
    env = simpy.Environment()
    free, queue, running, starts = processors, [], {}, 0.0
    woken = None

    def run(job):
        nonlocal free
        yield env.timeout(job[1])
        free += job[2]
        del running[job[0]]
        wake()

    def wake():
        nonlocal woken
        if woken is None:
            woken = env.event()
            woken._ok, woken._value = True, None
            env.schedule(woken, priority=2)  # after all completions and arrivals of this instant
            woken.callbacks.append(schedule)

    def start(job):
        nonlocal free, starts
        free -= job[2]
        starts += env.now
        running[job[0]] = (env.now + job[3], job[2])
        env.process(run(job))

    def schedule(_):
        nonlocal woken
        woken = None
        while queue and queue[0][2] <= free:
            start(queue.pop(0))
        if not queue:
            return
        extra, shadow = free - queue[0][2], env.now
        for end, procs in sorted((max(end, env.now), procs) for end, procs in running.values()):
            if extra >= 0 and end > shadow:
                break
            extra, shadow = extra + procs, end
        for job in queue[1:]:
            if free == 0:
                break
            if job[2] <= free and (env.now + job[3] <= shadow or job[2] <= extra):
                extra -= job[2] if env.now + job[3] > shadow else 0
                queue.remove(job)
                start(job)

    def arrivals():
        with gzip.open(path, "rt", errors="replace") as file:
            rows = (line.split() for line in file if not line.startswith(";"))
            for _, row in zip(range(jobs), rows, strict=False):
                if (wait := float(row[1]) - env.now) > 0:
                    yield env.timeout(wait)
                queue.append((int(row[0]), float(row[3]), int(row[7]), float(row[8])))
                wake()

    env.process(arrivals())
    env.run()
    print(f"{starts:.0f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
