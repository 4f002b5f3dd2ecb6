// Reads snapshots from the gateway and shows them, for as long as the page is open.

import * as charts from "./charts.js";
import { clock, setText, show } from "./view.js";

// The gateway sends one a second: after this long without, the connection is as good as lost.
const silenceMillis = 5000;
const retryMillis = 2000;

const link = document.getElementById("link");
const linkText = document.getElementById("link-text");
let heardAt = Date.now();
let source;

function setLink(state, text) {
  link.dataset.state = state;
  setText(linkText, text);
  document.body.classList.toggle("stale", state === "lost");
}

function take(state) {
  heardAt = Date.now();
  show(state);
  charts.show(state);
  setLink("live", "live");
}

function lost() {
  setLink("lost", `connection lost: figures are of ${clock(heardAt)}, trying again`);
}

function connect() {
  source?.close();
  source = new EventSource("/api/events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = lost;
}

function watch() {
  if (Date.now() - heardAt < silenceMillis) return;
  lost();
  connect();
}

charts.start();
try {
  take(await (await fetch("/api/state")).json());
} catch {
  lost();
}
// `#still` shows one moment, to print or to keep.
if (location.hash === "#still") {
  setLink("still", `as of ${clock(heardAt)}`);
} else {
  connect();
  setInterval(watch, retryMillis);
}
