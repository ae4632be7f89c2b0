// The live run: asks the websocket for what came after the page's last number and writes it into the page.
// Everything that comes from a server is text (textContent), never markup. The page works without this script.
"use strict";

{
  const panel = document.querySelector("[data-run]");
  if (panel) {
    const log = document.getElementById("run-log");
    log.scrollTop = log.scrollHeight;
    if (panel.dataset.living === "yes") watch(panel, log);
  }

  function watch(panel, log) {
    const LINES = 1000;
    const words = JSON.parse(document.getElementById("run-words").textContent);
    const steps = Number(panel.dataset.steps);
    const tiles = new Map([...panel.querySelectorAll("[data-host]")].map((tile) => [Number(tile.dataset.host), tile]));
    const summary = document.getElementById("run-summary");
    const state = panel.querySelector(".live");
    let last = Number(panel.dataset.after);
    let waiting = [];
    let pause = 500;
    let isOver = false;
    let isStale = false;

    connect();
    for (const time of panel.querySelectorAll("[data-until]")) setInterval(() => countDown(time), 1000);

    function countDown(time) {
      const left = Math.max(0, Math.round((new Date(time.dateTime) - Date.now()) / 1000));
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }

    function connect() {
      show("connecting");
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}/ws/runs/${panel.dataset.run}/?after=${last}`);
      socket.onopen = () => show("connected");
      socket.onmessage = (message) => {
        pause = 500;
        take(JSON.parse(message.data).events);
      };
      socket.onclose = (event) => {
        if (isOver) return;
        show("lost");
        if (event.code === 4404) return; // not ours to see any more
        setTimeout(connect, pause * (0.75 + Math.random() / 2));
        pause = Math.min(pause * 2, 15000);
      };
    }

    function show(name) {
      state.hidden = false;
      state.dataset.state = name;
      state.textContent = words[name];
    }

    // Events may come by the hundred: they are gathered and written once per frame.
    function take(events) {
      const fresh = events.filter((event) => event.number > last);
      if (!fresh.length) return;
      last = fresh[fresh.length - 1].number;
      const isFirst = !waiting.length;
      waiting.push(...fresh);
      if (isFirst) later(write);
    }

    // A hidden tab has no frames; what it missed must not pile up there.
    function later(act) {
      if (document.hidden) setTimeout(act, 250);
      else requestAnimationFrame(act);
    }

    function write() {
      const events = waiting;
      waiting = [];
      const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      for (const event of events) change(event);
      log.append(...events.slice(-LINES).map(line));
      while (log.childElementCount > LINES) log.firstElementChild.remove();
      if (isAtEnd) log.scrollTop = log.scrollHeight;
      count();
      if (isOver || (isStale && !isBusy())) location.reload();
    }

    function change(event) {
      if (event.kind === "run_finished" || event.kind === "run_halted") isOver = true;
      if (words.turns.includes(event.kind) || (event.kind === "wave_opened" && panel.dataset.held)) isStale = true;
      const tile = tiles.get(event.host_run);
      if (!tile) return;
      const { status, step, phase, error } = event.data;
      if (status) mark(tile, status);
      if (step) part(tile, "step").textContent = (phase === "UNDO" ? "↩ " : "") + (words.steps[step] ?? step);
      if (phase === "APPLY" && (event.kind === "step_ok" || event.kind === "step_probed")) {
        const done = Math.min(Number(tile.dataset.done) + 1, steps);
        tile.dataset.done = done;
        tile.querySelector("progress").value = done;
        part(tile, "progress").textContent = fill(words.progress, { done, all: steps });
      }
      if (error) tile.querySelector(".host-error").textContent = error;
    }

    function mark(tile, status) {
      tile.dataset.status = status;
      tile.querySelector(".host-status").textContent = words.statuses[status] ?? status;
      tile.querySelector("use").setAttribute("href", `${panel.dataset.icons}#${status}`);
    }

    function line(event) {
      const row = document.createElement("li");
      row.dataset.kind = event.kind;
      const time = document.createElement("time");
      time.dateTime = event.at;
      time.textContent = new Date(event.at).toLocaleTimeString("sv", { timeZone: words.time_zone });
      const host = document.createElement("b");
      host.textContent = event.host;
      const text = document.createElement("span");
      text.textContent = sentence(event);
      row.append(time, host, text);
      if (event.data.output) {
        const output = document.createElement("span");
        output.className = "log-output";
        output.textContent = event.data.output.slice(0, 400);
        row.append(output);
      }
      return row;
    }

    function sentence(event) {
      const { step = "", status = "", phase } = event.data;
      const label = (phase === "UNDO" ? "↩ " : "") + (words.steps[step] ?? step);
      const values = { ...event.data, step: label, status: words.statuses[status] ?? status };
      return fill(words.events[event.kind] ?? event.kind, values);
    }

    function fill(text, values) {
      return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name] ?? ""));
    }

    function count() {
      const of = (statuses, tiles) => tiles.filter((tile) => statuses.includes(tile.dataset.status)).length;
      const all = [...tiles.values()].filter((tile) => tile.dataset.status !== "RETRIED");
      const failed = all.filter((tile) => tile.querySelector(".host-error").textContent.trim());
      const back = of(["UNDO_PENDING", "UNDOING", "UNDONE"], failed);
      const bad = of(["FAILED", "UNCERTAIN", "UNDO_FAILED"], all) + back;
      summary.textContent = fill(words.summary, { done: of(["DONE"], all), all: all.length, bad });
      for (const wave of panel.querySelectorAll("[data-wave]")) {
        const hosts = [...wave.querySelectorAll("[data-host]")];
        part(wave, "done").textContent = fill(words.wave, { done: of(["DONE"], hosts), all: hosts.length });
      }
    }

    // Somebody fills in one of the run's forms: the page stays as it is.
    function isBusy() {
      return panel.querySelector("#steer details[open], #steer :focus") !== null;
    }

    function part(element, name) {
      return element.querySelector(`[data-part="${name}"]`);
    }
  }
}
