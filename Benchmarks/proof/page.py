"""Pages of docs/evidence: what is shown, the commands, the figures, the marks."""

import os

from .pairs import ERRORS
from .twin import ROOT

FOLDER = os.path.join(ROOT, "docs", "evidence")


def table(headings, rows):
    """A table; the cells of rows are text."""
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


class Page:
    """One item's page as it grows."""

    def __init__(self, number, name, title, shown, made_by=None):
        self.number, self.name, self.title = number, name, title
        self.made_by = made_by or f"Benchmarks/evidence {name}"
        self.marks, self.parts, self.charts, self.profiles = [], [], {}, []
        self.shown = shown

    def text(self, text):
        self.parts.append(text)

    def table(self, headings, rows):
        self.parts.append(table(headings, rows))

    def commands(self, what, lines):
        """Commands that make figures, as typed in the project's folder."""
        self.parts.append(what + "\n\n```\n" + "\n".join(lines) + "\n```")

    def chart(self, name, svg, what):
        """A picture beside the page; `what` is its text for those who do not see it."""
        file = f"{self.number:02d}-{self.name}-{name}.svg"
        self.charts[file] = svg
        self.parts.append(f"![{what}]({file})")

    def mark(self, mark):
        self.marks.append(mark)

    def misses(self):
        return [mark for mark in self.marks if not mark.is_met]

    def write(self):
        """Writes the page and its pictures; the path of the page."""
        os.makedirs(FOLDER, exist_ok=True)
        for file, svg in self.charts.items():
            with open(os.path.join(FOLDER, file), "w") as out:
                out.write(svg)
        path = os.path.join(FOLDER, f"{self.number:02d}-{self.name}.md")
        with open(path, "w") as out:
            out.write(self._whole())
        return os.path.relpath(path, ROOT)

    def _whole(self):
        missed = self.misses()
        verdict = (
            f"{len(self.marks) - len(missed)} of {len(self.marks)} marks are met."
            if self.marks else "There is no mark here.")
        parts = [
            f"# {self.title}", self.shown,
            f"Made by `{self.made_by}`. {verdict}"]
        if self.marks:
            parts.append(table(
                ["figure", "target", "measured", ""], [mark.row() for mark in self.marks]))
        again = [mark for mark in missed if mark.command]
        if again:
            parts.append(
                "What is not met, to be run again; the files that are named lie in "
                f"`Benchmarks/.work` once `{self.made_by}` has run:\n\n```\n"
                + "\n".join(f"# {mark.what}\n{mark.command}" for mark in again) + "\n```")
        parts += self.parts
        if self.profiles:
            errors = "; ".join(f"{name}: {ERRORS[name]}" for name in self.profiles)
            parts.append(
                "Virtual time: the figures are the same on any machine. They carry the error of "
                f"the engine profiles against the measurements they are fitted to: {errors}.")
        return "\n\n".join(parts) + "\n"
