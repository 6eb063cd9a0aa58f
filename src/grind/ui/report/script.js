"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  // --- the theme: the system's, until somebody chooses; kept where the browser lets a file keep it
  const keep = (value) => { try { localStorage.setItem("grind-theme", value); } catch { /* not here */ } };
  try { const kept = localStorage.getItem("grind-theme"); if (kept) root.dataset.theme = kept; } catch { /* not here */ }
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const turn = () => { root.dataset.theme = dark() ? "light" : "dark"; keep(root.dataset.theme); };
  $("theme").addEventListener("click", turn);
  $("help").addEventListener("click", () => $("keys").showModal());

  // --- finding a step
  const filter = $("filter"), odd = $("odd"), shown = $("shown");
  const sift = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0, all = 0;
    for (const job of document.querySelectorAll(".job-steps")) {
      const title = job.querySelector("h3").textContent.toLowerCase();
      let any = false;
      for (const row of job.querySelectorAll("tbody tr")) {
        const text = title + " " + row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word)) && (!odd.checked || row.classList.contains("odd"));
        row.hidden = !fits;
        any ||= fits;
        count += fits;
        all += 1;
      }
      job.hidden = !any;
    }
    shown.textContent = words.length || odd.checked ? `${count} of ${all} steps` : "";
  };
  if (filter) { filter.addEventListener("input", sift); odd.addEventListener("change", sift); }

  // --- going from failure to failure
  let at = -1;
  const go = (by) => {
    const failures = [...document.querySelectorAll(".failure")];
    if (!failures.length) return;
    at = (at + by + failures.length) % failures.length;
    failures[at].focus({ preventScroll: true });
    failures[at].scrollIntoView({ block: "start" });
  };

  // --- a log
  const HEIGHT = 18, MOST = 4000, TALLEST = 1500000;
  const viewer = $("viewer"), box = $("lines"), pad = $("pad"), view = $("window"), needle = $("needle"), hits = $("hits");
  let lines = [], order = [], groups = [], closed = new Set(), found = [], now = -1, turnOf = 0;
  const breathe = () => new Promise((done) => setTimeout(done, 0));
  const command = (line) => /^\s*(?:::|##\[)(group|endgroup|error|warning|notice|debug)(?:[ \w=,.\/-]*)(?:::|\])(.*)$/.exec(line);

  const unpack = async (element, mine) => {
    const text = element.textContent, step = 65536;
    const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
    const feeding = (async () => {
      for (let from = 0; from < text.length; from += step) {
        await writer.write(Uint8Array.from(atob(text.slice(from, from + step)), (c) => c.charCodeAt(0)));
      }
      await writer.close();
    })();
    feeding.catch(() => {});
    const reader = stream.readable.getReader(), decoder = new TextDecoder();
    let rest = "", since = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (mine !== turnOf) { reader.cancel().catch(() => {}); return; }
      const parts = (rest + decoder.decode(value || new Uint8Array(), { stream: !done })).split("\n");
      rest = parts.pop();
      for (const part of parts) take(part);
      // A line without an end must not be copied again and again.
      if (rest.length > 1 << 20) { take(rest); rest = ""; }
      if (done) break;
      if (performance.now() - since > 12) { layout(); await breathe(); since = performance.now(); }
    }
    if (rest) take(rest);
    await feeding;
    layout();
  };
  const take = (line) => {
    if (lines.length >= TALLEST) return;
    const said = line.endsWith("\r") ? line.slice(0, -1) : line;
    const match = said.length < 4096 ? command(said) : null;
    let group = groups.length && groups[groups.length - 1].end < 0 ? groups.length - 1 : -1;
    if (match && match[1] === "endgroup") { if (group >= 0) groups[group].end = lines.length; return; }
    if (match && match[1] === "group") {
      if (group >= 0) groups[group].end = lines.length;
      groups.push({ start: lines.length, end: -1 });
      group = -1;
      lines.push({ text: match[2] || "group", kind: "group", opens: groups.length - 1, group });
      return;
    }
    lines.push({ text: match ? `${match[1]}: ${match[2]}` : said, kind: match ? match[1] : "", group });
  };
  const layout = () => {
    order = [];
    for (let i = 0; i < lines.length; i++) if (lines[i].group < 0 || !closed.has(lines[i].group)) order.push(i);
    pad.style.height = `${order.length * HEIGHT}px`;
    draw();
  };
  const spans = (text) => {
    // The colours of SGR; everything else was taken out before, and would do nothing here.
    const parts = [];
    let classes = [], colour = "", last = 0;
    for (const match of text.matchAll(/\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f]/g)) {
      if (match.index > last) parts.push([text.slice(last, match.index), classes.join(" "), colour]);
      last = match.index + match[0].length;
      if (match[1] === undefined) continue;
      const codes = match[1].split(";").map(Number);
      for (let i = 0; i < codes.length; i++) {
        const code = codes[i];
        if (!code) { classes = []; colour = ""; }
        else if (code === 1) classes.push("b");
        else if (code === 2) classes.push("d");
        else if (code === 3) classes.push("s");
        else if (code === 4) classes.push("u");
        else if (code === 22) classes = classes.filter((c) => c !== "b" && c !== "d");
        else if (code === 39) { classes = classes.filter((c) => c[0] !== "f"); colour = ""; }
        else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) { classes = classes.filter((c) => c[0] !== "f"); classes.push(`f${code % 10}`); colour = ""; }
        else if (code === 38 && codes[i + 1] === 2) { colour = `rgb(${codes[i + 2] & 255},${codes[i + 3] & 255},${codes[i + 4] & 255})`; i += 4; }
        else if ((code === 38 || code === 48) && codes[i + 1] === 5) i += 2;
        else if (code === 48 && codes[i + 1] === 2) i += 4;
      }
    }
    if (last < text.length) parts.push([text.slice(last), classes.join(" "), colour]);
    return parts;
  };
  const plain = (text) => text.replace(/\x1b\[[0-9;]*m/g, "");
  const marked = (node, text, word) => {
    if (!word) { node.append(text); return; }
    const low = text.toLowerCase();
    let from = 0;
    for (let hit = low.indexOf(word); hit >= 0; hit = low.indexOf(word, from)) {
      node.append(text.slice(from, hit));
      const mark = document.createElement("mark");
      mark.textContent = text.slice(hit, hit + word.length);
      node.append(mark);
      from = hit + word.length;
    }
    node.append(text.slice(from));
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(box.scrollTop / HEIGHT) - 20);
    const count = Math.ceil(box.clientHeight / HEIGHT) + 40;
    const word = needle.value.toLowerCase(), rows = [];
    for (let i = first; i < Math.min(order.length, first + count); i++) {
      const number = order[i], line = lines[number];
      const row = document.createElement("div");
      row.className = `l ${line.kind}`;
      if (now >= 0 && found[now] === number) row.classList.add("now");
      const label = document.createElement("i");
      label.textContent = number + 1;
      row.append(label);
      if (line.kind === "group") {
        row.append(closed.has(line.opens) ? "▸ " : "▾ ");
        row.dataset.group = line.opens;
      }
      for (const [text, classes, colour] of spans(line.text.slice(0, MOST))) {
        const span = document.createElement("span");
        span.className = classes;
        if (colour) span.style.color = colour;
        marked(span, text, word);
        row.append(span);
      }
      if (line.text.length > MOST) row.append(` … ${line.text.length - MOST} more characters`);
      rows.push(row);
    }
    view.style.top = `${first * HEIGHT}px`;
    view.replaceChildren(...rows);
  };
  box.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  addEventListener("resize", () => viewer.open && draw());
  view.addEventListener("click", (event) => {
    const row = event.target.closest("[data-group]");
    if (!row) return;
    const group = Number(row.dataset.group);
    if (!closed.delete(group)) closed.add(group);
    layout();
  });
  $("fold").addEventListener("click", () => { groups.forEach((_, index) => closed.add(index)); layout(); });
  $("unfold").addEventListener("click", () => { closed.clear(); layout(); });

  const look = async () => {
    const word = needle.value.toLowerCase(), mine = turnOf;
    found = []; now = -1;
    if (!word) { hits.textContent = ""; draw(); return; }
    let since = performance.now();
    for (let i = 0; i < lines.length; i++) {
      if (plain(lines[i].text).toLowerCase().includes(word)) found.push(i);
      if ((i & 1023) === 0 && performance.now() - since > 12) {
        await breathe();
        if (mine !== turnOf || word !== needle.value.toLowerCase()) return;
        since = performance.now();
      }
    }
    jump(1);
  };
  const jump = (by) => {
    if (!found.length) { hits.textContent = needle.value ? "nothing" : ""; draw(); return; }
    now = (now + by + found.length) % found.length;
    hits.textContent = `${now + 1} of ${found.length}`;
    const line = lines[found[now]];
    if (line.group >= 0 && closed.delete(line.group)) layout();
    box.scrollTop = Math.max(0, order.indexOf(found[now]) * HEIGHT - box.clientHeight / 2);
    draw();
  };
  needle.addEventListener("input", look);
  $("before").addEventListener("click", () => jump(-1));
  $("after").addEventListener("click", () => jump(1));

  const open = (number) => {
    const packed = document.querySelectorAll("script.packed")[number];
    if (!packed) return;
    turnOf += 1;
    lines = []; groups = []; found = []; now = -1; closed = new Set();
    needle.value = ""; hits.textContent = "";
    $("log-name").textContent = packed.dataset.name;
    const left = Number(packed.dataset.leftOut);
    if (left) lines.push({ text: `(the first ${left} bytes are not in this page)`, kind: "left", group: -1 });
    layout();
    viewer.showModal();
    box.scrollTop = 0;
    box.focus();
    unpack(packed, turnOf).catch((problem) => { lines.push({ text: `this log cannot be read: ${problem}`, kind: "error", group: -1 }); layout(); });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-log]");
    if (button) open(Number(button.dataset.log));
  });
  viewer.addEventListener("close", () => { turnOf += 1; lines = []; order = []; view.replaceChildren(); });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.tagName === "INPUT" && event.target.type === "search";
    if (typing && event.key === "Enter" && event.target === needle) { event.preventDefault(); jump(event.shiftKey ? -1 : 1); return; }
    // A browser would empty the field first, and close the log with the next Esc only.
    if (typing && event.key === "Escape" && viewer.open) { event.preventDefault(); viewer.close(); return; }
    if (typing) return;
    const act = { t: turn, n: () => go(1), p: () => go(-1), "?": () => $("keys").open || $("keys").showModal(),
      "/": () => (viewer.open ? needle : filter || needle).focus() }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
