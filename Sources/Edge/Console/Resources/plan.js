// The page of `plimsoll plan --output html`: everything it shows is in the page itself.
(() => {
  const byID = (id) => document.getElementById(id);
  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const plan = JSON.parse(byID("result").textContent);

  function element(name, text, parent) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }
  const known = (value) => value !== null && value !== undefined;
  const fixed = (value, digits) => (known(value) ? value.toFixed(digits) : "-");
  const percent = (value) => `${(value * 100).toFixed(2)} %`;

  byID("plan").textContent = `${plan.model}, ${plan.trace}`;
  byID("cheapest").textContent = plan.cheapest
    ? `Cheapest for the budget: ${plan.cheapest}` : "On no pool is the budget held.";

  function table(parent, headings, rows) {
    const made = element("table", undefined, parent);
    const head = element("tr", undefined, made.createTHead());
    for (const heading of headings) element("th", heading, head).scope = "col";
    const body = made.createTBody();
    for (const row of rows) {
      const line = element("tr", undefined, body);
      for (const cell of row) element("td", cell, line);
    }
  }

  function timeline(parent, pool) {
    if (!window.Chart || !pool.timeline.length) return;
    const box = element("div", undefined, parent);
    box.className = "chart";
    const canvas = element("canvas", undefined, box);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Replicas over time: there, ready, and what the work takes");
    const line = (label, name, key) => ({
      label, borderColor: colour(name), backgroundColor: colour(name), pointRadius: 0,
      borderWidth: 2, stepped: key !== "needed",
      data: pool.timeline.map((point) => ({ x: point.seconds / 60, y: point[key] })),
    });
    const ticks = { color: colour("--quiet") };
    const grid = { color: colour("--line") };
    const title = (text) => ({ display: true, text, color: colour("--quiet") });
    new window.Chart(canvas, {
      type: "line",
      data: {
        datasets: [
          line("asked for", "--c-queue", "replicas"), line("ready", "--c-engine", "ready"),
          line("the work takes", "--c-failed", "needed"),
        ],
      },
      options: {
        animation: false, maintainAspectRatio: false, parsing: false,
        plugins: { legend: { labels: { color: colour("--text") } } },
        scales: {
          x: { type: "linear", ticks, grid, title: title("minutes") },
          y: { min: 0, ticks, grid, title: title("replicas") },
        },
      },
    });
  }

  for (const pool of plan.pools) {
    const section = element("section", undefined, byID("pools"));
    element("h2", `${pool.pool}, ${pool.profile}`, section);
    const price = known(pool.price_per_gpu_hour)
      ? `${fixed(pool.price_per_gpu_hour, 2)} ${pool.currency} a GPU hour. ` : "";
    const rate = known(pool.requests_per_replica)
      ? `A replica serves ${fixed(pool.requests_per_replica, 2)} requests a second inside the budget.`
      : "";
    element("p", price + rate, section).className = "quiet";
    timeline(section, pool);
    table(section, ["scaler", "budget", "good", "GPU hours", "nodes", "replicas", "cost",
      "per 1,000 good", "per million output tokens", "turns an hour"], pool.runs.map((run) => [
      run.scaler + (known(run.setting) ? ` ${run.setting}` : ""), run.is_held ? "held" : "broken",
      percent(run.good_share), fixed(run.gpu_hours, 1),
      known(run.nodes_most) ? String(run.nodes_most) : "-", String(run.replicas_most),
      fixed(run.cost, 2), fixed(known(run.cost_per_good_request)
        ? run.cost_per_good_request * 1000 : null, 3),
      fixed(run.cost_per_million_output_tokens, 3), fixed(run.turns_per_hour, 1),
    ]));
    element("p", pool.breaks
      ? `Breaks first at ${fixed(pool.breaks.factor, 2)} times this load: ${pool.breaks.what}.`
      : `Holds up to ${fixed(pool.tried_to, 0)} times this load.`, section);
    table(section, ["if", "budget", "good", "GPU hours", "cost"], pool.sensitivity.map((other) => [
      other.what, other.is_held ? "held" : "broken", percent(other.good_share),
      fixed(other.gpu_hours, 1), fixed(other.cost, 2),
    ]));
  }
})();
