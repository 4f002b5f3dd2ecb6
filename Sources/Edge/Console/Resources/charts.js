// The last five minutes as charts, and as tables for those who cannot or would not see them.

import { clock, count, fillTable, millis, setText } from "./view.js";

const keptMillis = 300000;
let samples = [];
const charts = {};

const byID = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Adds new samples to those kept; a second that is already known is not counted again.
function take(more) {
  const latest = samples.length ? samples[samples.length - 1].t : 0;
  samples = samples.concat(more.filter((sample) => sample.t > latest));
  const newest = samples.length ? samples[samples.length - 1].t : 0;
  samples = samples.filter((sample) => newest - sample.t < keptMillis);
}

const series = {
  rate: [
    ["good", "--c-good", (s) => s.good],
    ["late or client left", "--c-late",
      (s) => Math.max(0, s.offered - s.good - s.refused - s.failed)],
    ["refused", "--c-refused", (s) => s.refused],
    ["failed", "--c-failed", (s) => s.failed],
  ],
  time: [
    ["in the gateway's queue", "--c-queue", (s) => s.queue_ms ?? null],
    ["at the engine", "--c-engine", (s) => s.compute_ms ?? null],
  ],
};

function make(name, unit) {
  const text = colour("--quiet");
  const grid = { color: colour("--line") };
  const ticks = { color: text, maxRotation: 0, autoSkip: true, maxTicksLimit: 6 };
  return new window.Chart(byID(`${name}-chart`), {
    type: "line",
    data: { labels: [], datasets: [] },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
      interaction: { mode: "index", intersect: false },
      elements: { point: { radius: 0, hitRadius: 8 }, line: { borderWidth: 1.5 } },
      scales: {
        x: { grid: { display: false }, ticks },
        y: {
          stacked: true, beginAtZero: true, grid, ticks: { ...ticks, precision: 0 },
          title: { display: true, text: unit, color: text },
        },
      },
      plugins: { legend: { labels: { color: text, boxWidth: 12 }, position: "bottom" } },
    },
  });
}

function draw(name, unit) {
  charts[name] ??= make(name, unit);
  const chart = charts[name];
  chart.data.labels = samples.map((sample) => clock(sample.t));
  series[name].forEach(([label, variable, value], index) => {
    chart.data.datasets[index] ??= { label, fill: index ? "-1" : "origin", spanGaps: true };
    const set = chart.data.datasets[index];
    set.borderColor = colour(variable);
    set.backgroundColor = colour(variable) + "99";
    set.data = samples.map(value);
  });
  chart.update("none");
}

function mean(value) {
  const known = samples.map(value).filter((one) => one !== undefined && one !== null);
  return known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : undefined;
}

function showLines() {
  const last = samples[samples.length - 1];
  if (!last) return;
  const sum = (value) => samples.reduce((total, sample) => total + value(sample), 0);
  setText(byID("rate-line"), `Last second: ${count(last.good)} good, ${count(last.refused)} refused, `
    + `${count(last.failed)} failed. Mean of ${count(samples.length)} s: `
    + `${(sum((s) => s.offered) / samples.length).toFixed(1)} offered a second.`);
  setText(byID("time-line"), `Mean time of the requests that ended: ${millis(mean((s) => s.queue_ms))} `
    + `in the gateway's queue, ${millis(mean((s) => s.compute_ms))} at the engine.`);
}

function showTables() {
  const rows = samples.slice(-60).reverse();
  if (byID("rate-details").open) {
    fillTable(byID("rate-rows"), [
      ["Second", (s) => clock(s.t)],
      ["Offered", (s) => count(s.offered), true], ["Good", (s) => count(s.good), true],
      ["Refused", (s) => count(s.refused), true], ["Failed", (s) => count(s.failed), true],
      ["Degraded", (s) => count(s.degraded), true],
    ], rows);
  }
  if (byID("time-details").open) {
    fillTable(byID("time-rows"), [
      ["Second", (s) => clock(s.t)],
      ["Queue", (s) => millis(s.queue_ms), true], ["Engine", (s) => millis(s.compute_ms), true],
      ["Waiting", (s) => count(s.queued), true],
    ], rows);
  }
}

// Without the chart library the tables stand open in place of the charts.
function fallBack() {
  for (const name of ["rate", "time"]) {
    byID(`${name}-chart`).parentElement.classList.add("off");
    byID(`${name}-details`).open = true;
  }
}

export function start() {
  if (!window.Chart) fallBack();
  for (const name of ["rate", "time"]) byID(`${name}-details`).addEventListener("toggle", showTables);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const name of Object.keys(charts)) {
      charts[name].destroy();
      delete charts[name];
    }
    drawAll();
  });
}

function drawAll() {
  if (!window.Chart) return;
  draw("rate", "requests / s");
  draw("time", "ms");
}

export function show(state) {
  take(state.samples);
  showLines();
  drawAll();
  showTables();
}
