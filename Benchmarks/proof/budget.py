"""Budget files for the runs: the bounds of a pair, and what an item adds to them."""

from .twin import kept

HEAD = """\
apiVersion: plimsoll.dev/v1alpha1
kind: Model
metadata: {{name: {name}}}
spec:
  engine: {{kind: simulated{limits}}}
  budget:
    objectives:
      timeToFirstToken: {{p99: {ttft_ms}ms}}
      interTokenLatency: {{p99: {itl_ms}ms}}
    deadline: {{timeToFirstToken: {deadline_ms}ms}}
"""
TENANT = """\
---
apiVersion: plimsoll.dev/v1alpha1
kind: Tenant
metadata: {{name: {name}}}
spec: {{weight: {weight}}}
"""


class Bounds:
    """The bounds of one pair, in milliseconds."""

    def __init__(self, ttft_ms, deadline_ms, itl_ms):
        self.ttft_ms, self.deadline_ms, self.itl_ms = ttft_ms, deadline_ms, itl_ms

    def __str__(self):
        return (f"TTFT p99 {self.ttft_ms:,} ms, deadline {self.deadline_ms:,} ms, "
                f"ITL p99 {self.itl_ms:,} ms")


def model(bounds, name="pair", limits="", classes="", degrade=""):
    """One Model document. `limits` goes into the engine, `classes` and `degrade` are YAML lists or
    maps in one line."""
    text = HEAD.format(
        name=name, limits=f", limits: {limits}" if limits else "", ttft_ms=bounds.ttft_ms,
        itl_ms=bounds.itl_ms, deadline_ms=bounds.deadline_ms)
    if classes:
        text += f"  classes: {classes}\n"
    if degrade:
        text += f"  overload: {{degrade: {degrade}}}\n"
    return text


def tenants(**weights):
    """Tenant documents, in the order given."""
    return "".join(TENANT.format(name=name, weight=weight) for name, weight in weights.items())


def write(name, *documents):
    """Keeps documents as one file; its path."""
    text = documents[0]
    for document in documents[1:]:
        text += document if document.startswith("---") else "---\n" + document
    return kept(f"budgets/{name}.yaml", text)
