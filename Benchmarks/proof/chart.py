"""Line charts as SVG, readable on a light and on a dark page."""

from xml.sax.saxutils import escape

# Told apart by colour and by dash; of middling lightness, so that both grounds carry them.
STYLES = (("#1f77d0", ""), ("#d9822b", ""), ("#8a8f98", "6 3"), ("#3a9d5d", "2 3"),
          ("#c2478f", "8 3 2 3"), ("#9467bd", "4 2"))
PANEL_W, PANEL_H = 250, 170
LEFT, TOP, GAP_X, GAP_Y, LEGEND = 46, 34, 40, 36, 34
INK = "#7a828e"


class Panel:
    """One plot: a title and lines, each a name and its points."""

    def __init__(self, title, lines, bound=None):
        self.title, self.lines, self.bound = title, lines, bound


def ticks(most):
    """Round values from zero to the largest."""
    step = next(step for step in (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9)
                if most / step <= 6)
    return [index * step for index in range(int(most / step + 1e-9) + 1)]


def grid(panels, columns, x_label, y_label, title):
    """Panels side by side with one legend; all with the same axes."""
    names = []
    for panel in panels:
        names += [name for name, _ in panel.lines if name not in names]
    x_most = max(x for panel in panels for _, points in panel.lines for x, _ in points)
    y_most = max(
        [y for panel in panels for _, points in panel.lines for _, y in points]
        + [panel.bound or 0 for panel in panels]) * 1.05
    rows = -(-len(panels) // columns)
    width = LEFT + columns * (PANEL_W + GAP_X)
    height = LEGEND + rows * (TOP + PANEL_H + GAP_Y)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}">', f"<title>{escape(title)}</title>"]
    out += legend(names)
    out.append(f'<text x="{LEFT}" y="{LEGEND + 4}">up: {escape(y_label)}; '
               f"across: {escape(x_label)}</text>")
    for index, panel in enumerate(panels):
        left = LEFT + index % columns * (PANEL_W + GAP_X)
        top = LEGEND + TOP + index // columns * (TOP + PANEL_H + GAP_Y)
        out += draw(panel, names, left, top, x_most, y_most)
    return "\n".join(out + ["</svg>"]) + "\n"


def legend(names):
    out, x = [], LEFT
    for index, name in enumerate(names):
        colour, dash = STYLES[index % len(STYLES)]
        out.append(
            f'<line x1="{x}" y1="14" x2="{x + 24}" y2="14" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dash}"/><text x="{x + 30}" y="18">{escape(name)}</text>')
        x += 44 + 7 * len(name)
    return out


def draw(panel, names, left, top, x_most, y_most):
    def at(x, y):
        return left + x / x_most * PANEL_W, top + PANEL_H - y / y_most * PANEL_H

    out = [f'<text x="{left}" y="{top - 10}" font-weight="bold">{escape(panel.title)}</text>']
    for y in ticks(y_most):
        x_at, y_at = at(0, y)
        out.append(
            f'<line x1="{x_at:.1f}" y1="{y_at:.1f}" x2="{left + PANEL_W}" y2="{y_at:.1f}" '
            f'stroke="{INK}" stroke-opacity="0.25"/><text x="{x_at - 6:.1f}" y="{y_at + 4:.1f}" '
            f'text-anchor="end">{y:g}</text>')
    for x in ticks(x_most):
        x_at, y_at = at(x, 0)
        out.append(
            f'<text x="{x_at:.1f}" y="{y_at + 15:.1f}" text-anchor="middle">{x:g}</text>')
    if panel.bound is not None:
        (x_from, y_at), (x_to, _) = at(0, panel.bound), at(x_most, panel.bound)
        out.append(
            f'<line x1="{x_from:.1f}" y1="{y_at:.1f}" x2="{x_to:.1f}" y2="{y_at:.1f}" '
            f'stroke="{INK}" stroke-dasharray="1 3"/>')
    # The product's own line is drawn last, above the others.
    for name, points in reversed(panel.lines):
        colour, dash = STYLES[names.index(name) % len(STYLES)]
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in points)
        out.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dash}"/>')
    return out
