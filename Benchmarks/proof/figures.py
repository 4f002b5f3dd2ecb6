"""Medians over seeds, paired differences, and verdicts on targets."""

import math
import statistics

# Student's t at 97.5 %, by degrees of freedom, from one.
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
         2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)


def pick(run, path):
    """`a.b.c` of nested objects; None where a run has no such figure."""
    for key in path.split("."):
        run = (run or {}).get(key)
    return run


def values(runs, path):
    """A figure of every run, those without it left out; `path` may be a function of a run."""
    found = (path(run) if callable(path) else pick(run, path) for run in runs)
    return [value for value in found if value is not None]


def median(runs, path):
    """The median over runs; None without any."""
    found = values(runs, path)
    return statistics.median(found) if found else None


def worst(runs, path):
    """The largest over runs; None without any."""
    return max(values(runs, path), default=None)


def paired(ours, theirs):
    """The mean of the per-seed differences and its 95 % interval; the mean alone of one seed."""
    differences = [a - b for a, b in zip(ours, theirs)]
    mean = statistics.fmean(differences)
    count = len(differences)
    if count < 2:
        return mean, mean, mean
    half = T_975[min(count, len(T_975) + 1) - 2] * statistics.stdev(differences) / math.sqrt(count)
    return mean, mean - half, mean + half


class Mark:
    """A figure against its target. A quick run is judged by a wider `quick` mark: it has a small
    sample of what the target is stated for."""

    def __init__(self, what, target, measured, *, at_most=None, at_least=None, quick=None,
                 figure=None, command=None):
        self.what, self.target, self.measured = what, target, measured
        self.bound = at_least if at_most is None else at_most
        self.is_upper = at_most is not None
        self.quick = self.bound if quick is None else quick
        self.figure = figure or (lambda value: f"{value:.3g}")
        self.command = command

    def holds(self, bound):
        if self.measured is None:
            return False
        return self.measured <= bound if self.is_upper else self.measured >= bound

    @property
    def is_met(self):
        return self.holds(self.bound)

    @property
    def is_met_quickly(self):
        return self.holds(self.quick)

    def quick_bound(self):
        """The wider bound as a plain number."""
        return f"{self.quick:g}"

    def row(self):
        measured = "none" if self.measured is None else self.figure(self.measured)
        return (self.what, self.target, measured, "met" if self.is_met else "**NOT met**")


def percent(value, digits=1):
    return "-" if value is None else f"{value * 100:.{digits}f} %"


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def one(value):
    return percent(value, 1)


def two(value):
    return percent(value, 2)


def millis(value):
    return number(value) + " ms"
