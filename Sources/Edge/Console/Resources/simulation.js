// The page of `plimsoll simulate --output html`: everything it shows is in the page itself.
(() => {
  const byID = (id) => document.getElementById(id);
  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const result = JSON.parse(byID("result").textContent);

  function median(values) {
    const known = values.filter((value) => value !== null && value !== undefined);
    if (known.length === 0) return null;
    known.sort((left, right) => left - right);
    const middle = Math.floor(known.length / 2);
    return known.length % 2 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
  }

  // Runs of one policy and choice, in the order of the runs.
  const groups = [];
  for (const run of result.runs) {
    const name = `${run.policy}, ${run.choice}`
      + (run.setting === "default" ? "" : `, ${run.setting}`);
    const known = groups.find((group) => group.name === name);
    if (known) known.runs.push(run);
    else groups.push({ name, runs: [run] });
  }
  const over = (group, figure) => median(group.runs.map(figure));
  const share = (run, count) => (run.offered ? count / run.offered : 0);

  const ends = [
    ["good", "--c-good", (run) => share(run, run.good)],
    ["late", "--c-late", (run) => share(run, run.completed - run.good)],
    ["refused", "--c-refused", (run) => share(run, run.refused.total)],
    ["failed", "--c-failed", (run) => share(run, run.failed)],
    ["client left", "--c-gateway", (run) => share(run, run.abandoned)],
  ];
  const times = [
    ["p50", "--c-decode", (run) => run.ttft_ms.p50],
    ["p95", "--c-engine", (run) => run.ttft_ms.p95],
    ["p99", "--c-queue", (run) => run.ttft_ms.p99],
  ];
  const digits = (count) => (value) => (value === null ? "-" : value.toFixed(count));
  const percent = (value) => (value === null ? "-" : `${(value * 100).toFixed(1)} %`);
  const columns = [
    ["good", (run) => run.goodput.share, percent],
    ["in work", (run) => run.goodput.work.share, percent],
    ["refused", (run) => share(run, run.refused.total), percent],
    ["TTFT p50 ms", (run) => run.ttft_ms.p50, digits(0)],
    ["p99 ms", (run) => run.ttft_ms.p99, digits(0)],
    ["ITL p99 ms", (run) => run.itl_ms.p99, digits(1)],
    ["wasted", (run) => run.wasted_token_share, percent],
    ["refused on arrival", (run) => run.early_refusal_share ?? null, percent],
    ["queue overshoot", (run) => run.engine_queue_overshoot, digits(0)],
    ["idle s", (run) => run.idle_while_waiting_s, digits(1)],
    ["Jain", (run) => run.jain, digits(3)],
  ];

  function row(parent, kind, cells) {
    const line = document.createElement("tr");
    for (const text of cells) {
      const cell = document.createElement(kind);
      cell.textContent = text;
      line.append(cell);
    }
    parent.append(line);
  }
  const table = byID("figures");
  row(table.tHead, "th", ["policy", ...columns.map((column) => column[0])]);
  for (const group of groups) {
    row(table.tBodies[0], "td", [
      group.name, ...columns.map(([, figure, format]) => format(over(group, figure))),
    ]);
  }

  // A load of one moment has no rate.
  const rate = result.load.requests_per_s?.toFixed(2);
  const capacity = result.load.capacity;
  byID("load").textContent = `Offered: ${result.load.requests} requests`
    + (rate ? `, ${rate} a second` : " at once") + (capacity
    ? `, ${result.load.load_factor} times the capacity of `
      + `${capacity.requests_per_s.toFixed(2)} requests a second.` : ".");
  byID("note").textContent = result.runs[0].note ?? "";

  function bars(id, series, axis, isStacked) {
    const canvas = byID(id);
    if (!window.Chart) {
      canvas.parentElement.remove();
      return;
    }
    const ticks = { color: colour("--quiet") };
    const grid = { color: colour("--line") };
    new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: groups.map((group) => group.name),
        datasets: series.map(([label, name, figure]) => ({
          label, backgroundColor: colour(name), data: groups.map((group) => over(group, figure)),
        })),
      },
      options: {
        animation: false, maintainAspectRatio: false,
        plugins: { legend: { labels: { color: colour("--text") } } },
        scales: {
          x: { stacked: isStacked, ticks, grid },
          y: { stacked: isStacked, ticks, grid, ...axis },
        },
      },
    });
  }
  const title = (text) => ({ display: true, text, color: colour("--quiet") });
  bars("ends-chart", ends, { min: 0, max: 1, title: title("share of offered") }, true);
  bars("ttft-chart", times, { type: "logarithmic", title: title("milliseconds") }, false);
})();
