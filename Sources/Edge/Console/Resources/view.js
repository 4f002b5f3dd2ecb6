// Puts one snapshot into the page. Text only ever enters as textContent: nothing of it is markup.

const byID = (id) => document.getElementById(id);

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Changes the page only where the text changed, so that a screen reader and a selection rest.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const count = (value) => Math.round(value).toLocaleString("en");

export function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  // Rounded down: only all of them are 100 %.
  return part >= whole ? "100 %" : (Math.floor(percent * 100) / 100).toFixed(2) + " %";
}

export function millis(value) {
  if (value === undefined || value === null) return "–";
  if (value >= 120000) return (value / 60000).toFixed(1) + " min";
  if (value >= 1000) return (value / 1000).toFixed(2) + " s";
  return value >= 10 ? value.toFixed(0) + " ms" : value.toFixed(value >= 1 ? 1 : 2) + " ms";
}

export const clock = (t) => new Date(t).toLocaleTimeString([], { hour12: false });

const bytes = (value) => (value / 1048576).toFixed(1) + " MB";

function ago(ms) {
  if (ms < 90000) return Math.round(ms / 1000) + " s ago";
  return Math.round(ms / 60000) + " min ago";
}

function lasted(ms) {
  const minutes = Math.floor(ms / 60000);
  if (minutes < 1) return Math.round(ms / 1000) + " s";
  if (minutes < 120) return minutes + " min";
  return minutes < 2880 ? Math.floor(minutes / 60) + " h" : Math.floor(minutes / 1440) + " days";
}

// Keeps one child of `parent` for each item, made once and then updated.
function keep(parent, items, make, update) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, index) => {
    const node = parent.children[index] ?? parent.appendChild(make(item));
    update(node, item);
  });
}

// A column is [title, item => text, isNumber, item => class].
export function fillTable(body, columns, items) {
  const head = body.parentElement.tHead;
  if (!head.rows.length) {
    const row = head.insertRow();
    for (const [title, , isNumber] of columns) {
      const cell = element("th", isNumber ? "n" : "", title);
      cell.scope = "col";
      row.append(cell);
    }
  }
  const make = () => {
    const row = element("tr");
    for (const [title, , isNumber] of columns) {
      const cell = element("td", isNumber ? "n" : "");
      cell.dataset.label = title;
      cell.append(element("span"));
      row.append(cell);
    }
    return row;
  };
  keep(body, items, make, (row, item) => {
    columns.forEach(([, text, , style], index) => {
      const span = row.cells[index].firstElementChild;
      setText(span, text(item));
      if (style) span.className = style(item);
    });
  });
}

function tiles(list, items) {
  const make = () => {
    const box = element("div");
    box.append(element("dt"), element("dd"), element("dd", "note"));
    return box;
  };
  keep(list, items, make, (box, [name, value, note, isFirst]) => {
    box.className = isFirst ? "first" : "";
    [name, value, note ?? ""].forEach((text, index) => setText(box.children[index], text));
  });
}

// MARK: Parts

function showVerdict(state) {
  const words = { held: "HELD", broken: "BROKEN", idle: "IDLE" };
  const { verdict } = state;
  byID("verdict").dataset.state = verdict.state;
  setText(byID("verdict-word"), words[verdict.state] ?? verdict.state);
  const { recent } = state;
  // A refusal never improves a figure unseen.
  const since = `${count(recent.offered)} requests offered in the last five minutes, `
    + `${count(recent.refused)} refused, ${count(recent.degraded)} degraded`;
  const lines = {
    held: `Every objective of every budget is met: ${since}.`,
    broken: `The budget is not met: ${since}.`,
    idle: "No requests in the last five minutes.",
  };
  setText(byID("verdict-line"), lines[verdict.state] ?? "");
  const reasons = verdict.state === "broken" ? verdict.reasons : [];
  keep(byID("verdict-reasons"), reasons, () => element("li"), setText);
  document.title = `${words[verdict.state] ?? ""} · Plimsoll`;
}

function showAlerts(state) {
  const alerts = [];
  if (state.is_draining) alerts.push(["Draining", "No new requests are taken."]);
  else if (state.not_ready.length) alerts.push(["Not ready", state.not_ready.join("; ")]);
  if (state.config.faults.length) {
    const title = "The changed configuration is refused; the last good one stays in force";
    for (const fault of state.config.faults) alerts.push([title, fault]);
  }
  for (const warning of state.config.warnings) alerts.push(["Probably not meant", warning]);
  const make = () => {
    const box = element("p", "alert");
    box.append(element("strong"), element("span"));
    return box;
  };
  keep(byID("alerts"), alerts, make, (box, [title, text]) => {
    setText(box.children[0], title);
    setText(box.children[1], text);
  });
}

function showGoodput(state) {
  const { recent, all } = state;
  const queued = state.budgets.reduce((sum, budget) => sum + budget.queued_requests, 0);
  const total = (value) => `${count(value)} since start`;
  tiles(byID("tiles"), [
    ["Good of all offered", share(recent.good, recent.offered),
      `${count(recent.good)} of ${count(recent.offered)}; ${share(all.good, all.offered)} since start`, true],
    ["Offered", count(recent.offered), total(all.offered)],
    ["Refused", count(recent.refused), total(all.refused)],
    ["Degraded", count(recent.degraded), total(all.degraded)],
    ["Failed", count(recent.failed), total(all.failed)],
    ["Client left", count(recent.abandoned), total(all.abandoned)],
    ["Waiting now", count(queued), "in the gateway"],
    ["At engines now", count(state.machine.live_requests - queued), "in flight"],
  ]);
}

const latencies = { ttft: "First token", itl: "Between tokens", e2e: "End to end" };

function mark(inside) {
  if (inside.met === undefined || inside.met === null) return ["– none yet", "state"];
  return inside.met ? ["✓ met", "state ok"] : ["✗ missed", "state no"];
}

const objectiveColumns = [
  ["Objective", (o) => `${latencies[o.latency] ?? o.latency} ${o.quantile}`],
  ["Bound", (o) => o.bound, true],
  ["Inside", (o) => share(o.recent.inside, o.recent.total), true],
  ["State", (o) => mark(o.recent)[0], false, (o) => mark(o.recent)[1]],
  ["Since start", (o) => share(o.all.inside, o.all.total) + (o.all.met === false ? " ✗" : ""),
    true, (o) => mark(o.all)[1]],
];

function showBudgets(state) {
  const make = () => {
    const card = element("article", "card");
    const table = element("table", "stack");
    table.append(element("thead"), element("tbody"));
    card.append(element("h3"), element("p", "quiet"), table, element("p"), element("p"));
    return card;
  };
  keep(byID("budgets"), state.budgets, make, (card, budget) => {
    const [title, line, table, queue, ladder] = card.children;
    setText(title, `${budget.model} / ${budget.name}`);
    setText(line, `Goodput ${share(budget.recent.good, budget.recent.offered)} of `
      + `${count(budget.recent.offered)} offered in five minutes`
      + (budget.deadline ? `; its one bound: ${budget.deadline}` : ""));
    table.hidden = !budget.objectives.length;
    fillTable(table.tBodies[0], objectiveColumns, budget.objectives);
    setText(queue, `Queue: ${count(budget.queued_requests)} of at most ${count(budget.queue_requests_max)}`);
    const step = budget.ladder_step;
    ladder.className = step > 0 ? "state mid" : "";
    setText(ladder, !budget.ladder.length ? "No ladder is written: refuse only"
      : step > 0 ? `Ladder: step ${step} of ${budget.ladder.length}, ${budget.ladder[step - 1]}`
      : `Ladder: off (${budget.ladder.length} steps)`);
  });
}

function showReasons(state) {
  const reasons = [...state.reasons].sort((a, b) => b.recent - a.recent || b.all - a.all);
  byID("reasons-none").hidden = reasons.length > 0;
  byID("reasons-table").hidden = !reasons.length;
  fillTable(byID("reasons"), [
    ["Reason", (r) => r.reason],
    ["Kind", (r) => r.kind],
    ["Model / class", (r) => `${r.model} / ${r.name}`],
    ["Last 5 min", (r) => count(r.recent), true],
    ["Since start", (r) => count(r.all), true],
  ], reasons);
}

const endpointStates = {
  "open": ["✓ open", "state ok"], "half-open": ["◐ half open", "state mid"],
  "out": ["✗ out", "state no"], "removed": ["– leaving", "state"],
};

function showEndpoints(state) {
  fillTable(byID("endpoints"), [
    ["Endpoint", (e) => e.url],
    ["Model", (e) => e.model],
    ["Health", (e) => (endpointStates[e.state] ?? [e.state])[0], false,
      (e) => (endpointStates[e.state] ?? ["", "state"])[1]],
    ["In flight", (e) => `${count(e.in_flight)} / ${count(e.sequences_max)}`, true],
    ["Prefill waiting", (e) => `${count(e.prefill_waiting)} / ${count(e.prefill_max)} tok`, true],
    ["Held", (e) => `${count(e.context_tokens)} tok`, true],
    ["Learned first token", (e) => `${millis(e.first_token_ms)} + ${millis(e.per_thousand_tokens_ms)}/1k tok`, true],
    ["Learned per token", (e) => millis(e.inter_token_ms), true],
    ["Requests", (e) => count(e.requests), true],
    ["Failed", (e) => count(e.failures), true],
  ], state.endpoints);
}

function showScaling(state) {
  const replicas = (value) => value.toFixed(1);
  byID("scaling-section").hidden = !state.scaling.length;
  const make = () => {
    const card = element("article", "card");
    card.append(element("h3"), element("dl", "tiles small"), element("ol", "events"));
    return card;
  };
  const makeDecision = () => {
    const item = element("li");
    item.append(element("time"), element("span", "text"));
    return item;
  };
  keep(byID("scaling"), state.scaling, make, (card, model) => {
    const [title, figures, decisions] = card.children;
    setText(title, `${model.model}: ${model.least} to ${model.most} replicas`);
    const soonest = Math.min(...model.starting_seconds);
    const arrival = !model.starting_seconds.length ? "nothing on its way"
      : soonest > 0 ? `the first in about ${Math.round(soonest)} s` : "the first is late";
    tiles(figures, [
      ["Ready", count(model.ready), model.draining ? `${count(model.draining)} more are draining` : "", true],
      ["On its way", count(model.starting_seconds.length), arrival],
      ["Demand now", replicas(model.demand), "replicas kept busy"],
      ["Window's peak", replicas(model.peak), "replicas kept busy"],
      ["Standby", replicas(model.standby), `a start takes ${Math.round(model.lead_seconds)} s`],
    ]);
    keep(decisions, model.decisions, makeDecision, (item, decision) => {
      item.children[0].dateTime = new Date(decision.t).toISOString();
      setText(item.children[0], clock(decision.t));
      setText(item.children[1], decision.text);
    });
  });
}

// Which colour a stage has; the gateway's own parts share one.
const kinds = { queue: "queue", engine: "engine", decode: "decode" };
const kindOf = (stage) => kinds[stage] ?? "gateway";

function showLegend() {
  const legend = byID("legend");
  if (legend.children.length) return;
  const names = [["gateway", "gateway's own work"], ["queue", "queue"],
    ["engine", "engine to first token"], ["decode", "decode"]];
  for (const [kind, name] of names) {
    const item = element("span");
    item.append(element("i", `k-${kind}`), name);
    legend.append(item);
  }
}

function showRequests(list, none, requests, stages) {
  none.hidden = requests.length > 0;
  const longest = requests.reduce((most, request) => Math.max(most, request.total_ms), 1e-9);
  const make = () => {
    const item = element("li");
    const head = element("div", "head");
    head.append(element("b"), element("span"), element("span"), element("code"));
    const bar = element("div", "bar");
    bar.setAttribute("aria-hidden", "true");
    item.append(head, bar, element("p", "parts"));
    return item;
  };
  keep(list, requests, make, (item, request) => {
    const [head, bar, parts] = item.children;
    setText(head.children[0], millis(request.total_ms));
    setText(head.children[1], `${request.model} / ${request.name}, ${request.tenant}`);
    setText(head.children[2], request.outcome);
    head.children[2].className = request.is_failure ? "state no" : "";
    setText(head.children[3], request.id);
    keep(bar, stages, () => element("span"), (span, stage) => {
      span.className = `k-${kindOf(stage)}`;
      span.style.width = `${(100 * request.stages_ms[stages.indexOf(stage)]) / longest}%`;
    });
    const shown = stages.map((stage, index) => [stage, request.stages_ms[index]])
      .filter(([, ms]) => ms >= request.total_ms / 200)
      .map(([stage, ms]) => `${stage} ${millis(ms)}`);
    const place = request.endpoint ? ` at ${request.endpoint}` : "";
    const tries = request.attempts > 1 ? `, ${request.attempts} tries` : "";
    const step = request.ladder_step > 0 ? `, ladder step ${request.ladder_step}` : "";
    setText(parts, `${shown.join(", ")}; ${count(request.prompt_tokens)} in, `
      + `${count(request.output_tokens)} out${place}${tries}${step}; ${ago(request.ago_ms)}`);
  });
}

function showEvents(state) {
  const make = () => {
    const item = element("li");
    item.append(element("time"), element("span", "text"));
    return item;
  };
  keep(byID("events"), state.events, make, (item, event) => {
    item.className = event.is_warning ? "warning" : "";
    item.children[0].dateTime = new Date(event.t).toISOString();
    setText(item.children[0], clock(event.t));
    setText(item.children[1], event.text);
  });
}

function showMachine(state) {
  const { machine, config } = state;
  tiles(byID("machine"), [
    ["Up", lasted(state.t - state.started_at), `since ${clock(state.started_at)}`],
    ["Configuration", `version ${config.version}`,
      `${count(config.accepted)} reloads, ${count(config.refused)} refused`],
    ["Connections", count(machine.connections), `${count(machine.turned_away)} turned away`],
    ["Bodies held", bytes(machine.buffered_bytes), ""],
    ["Memory", bytes(machine.resident_bytes), "resident"],
    ["CPU", machine.cpu_seconds.toFixed(1) + " s", "since start"],
    ["Open files", count(machine.open_files), ""],
  ]);
  setText(byID("version"), state.version);
}

export function show(state) {
  showVerdict(state);
  showAlerts(state);
  showGoodput(state);
  showBudgets(state);
  showReasons(state);
  showScaling(state);
  showEndpoints(state);
  showLegend();
  showRequests(byID("slowest"), byID("slowest-none"), state.slowest, state.stages);
  showRequests(byID("failures"), byID("failures-none"), state.failures, state.stages);
  showEvents(state);
  showMachine(state);
}
