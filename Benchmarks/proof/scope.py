"""How much of the evidence a run makes."""

from .pairs import PROFILES


class Scope:
    """All of it, or a quick sample: one profile, fewer requests, two or three seeds."""

    def __init__(self, quick=False, profiles=(), seeds=None):
        self.quick = quick
        self.profiles = tuple(profiles) or (PROFILES[1:2] if quick else PROFILES)
        self._seeds = seeds

    def seeds(self, whole, quick):
        """The seeds of an item: as asked for on the command line, else its own number."""
        return self._seeds or (quick if self.quick else whole)

    def either(self, whole, quick):
        """The first, or the second in a quick run."""
        return quick if self.quick else whole
