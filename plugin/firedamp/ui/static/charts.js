// Charts of a check: its lines come as JSON from the same address below /api/v1 and are drawn when somebody
// unfolds them. A chart is a figure with a title, a summary in words and a table beside it; arrow keys move its
// cursor, and a polite live region says what stands there. Without this script the table tells it all.
/* global uPlot */

const FORMS = [
  { title: "Since warm-up, with the interval of the effect", lines: ["baseline_so_far", "canary_so_far"],
    band: ["lowest", "highest"], limit: "allowed" },
  { title: "Effect, canary over baseline", lines: [null, "effect"], what: "effect", band: ["effect_low", "effect_high"],
    limit: "tolerance", unit: "×", without: "canary_so_far" },
  { title: "Lately, over the last ten looks, and each look alone", lines: ["baseline_lately", "canary_lately"],
    thin: ["baseline", "canary"], limit: "allowed" },
  { title: "Difference lately, canary less baseline", lines: [null, "difference"], what: "difference", zero: true },
];
const NAMES = ["baseline", "canary"];
const HEIGHT = 220;
const drawn = new Map(); // details -> charts

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const known = (line) => Boolean(line) && line.some((value) => value !== null);
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

function spoken(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const plain = (number) => Number(number.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
  switch (unit) {
    case "share": return `${plain(100 * value)} %`;
    case "points": return `${plain(100 * value)} pp`;
    case "seconds": return Math.abs(value) < 1 ? `${plain(1000 * value)} ms` : `${plain(value)} s`;
    case "bytes": return Math.abs(value) >= 2 ** 20 ? `${plain(value / 2 ** 20)} MiB` : `${plain(value)} bytes`;
    case "×": return `${plain(value)}×`;
    default: return `${plain(value)} ${unit}`.trim();
  }
}

function said(form, lines, unit, at) {
  const parts = form.lines.map((name, arm) =>
    name && known(lines[name]) ? `${form.what || NAMES[arm]} ${spoken(lines[name][at], unit)}` : "");
  return `${clock(lines.ends[at])} UTC: ${parts.filter(Boolean).join(", ")}`;
}

function summary(form, lines, unit) {
  const name = form.lines[1];
  const values = lines[name].filter((value) => value !== null);
  const last = lines[name].findLastIndex((value) => value !== null);
  const limit = form.limit && lines[form.limit] ? lines[form.limit].findLast((value) => value !== null) : undefined;
  const allowed = limit === undefined ? "" : `; the limit is ${spoken(limit, unit)}`;
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => spoken(value, unit));
  const span = values.length > 1 ? `; ${form.what || "canary"} between ${least} and ${most}` : "";
  return `${said(form, lines, unit, last)}${span}${allowed}.`;
}

function steps(found) {
  // Where the traffic's weight changed, a dashed line with the weight beside it.
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour("edge");
    ctx.fillStyle = colour("quiet");
    ctx.textAlign = "left"; // the axes leave theirs behind
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const step of found) {
      const x = plot.valToPos(step.at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (step.weight !== undefined && step.weight !== null) {
        ctx.fillText(spoken(step.weight, "share"), x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
      }
    }
    ctx.restore();
  };
}

function lone(plot, which) {
  // A value between two gaps belongs to no line: a release that fails at its first judged look has no other.
  const line = plot.data[which], none = (at) => line[at] === null || line[at] === undefined;
  return [...line.keys()].filter((at) => !none(at) && none(at - 1) && none(at + 1));
}

function options(form, data, unit, width) {
  const [blue, orange] = NAMES.map(colour);
  const value = (_, one) => spoken(one, unit);
  const series = [{ label: "UTC", value: (_, at) => (at === null ? "–" : clock(at)) }];
  const columns = [data.lines.ends];
  const add = (name, one) => { columns.push(data.lines[name]); series.push({ value, spanGaps: false, points: { show: true, filter: lone, size: 8, fill: one.stroke }, ...one }); };
  (form.thin || []).forEach((name, arm) => {
    if (known(data.lines[name])) add(name, { label: `${NAMES[arm]}, each`, stroke: [blue, orange][arm], width: 0.75, alpha: 0.55 });
  });
  if (form.lines[0] && known(data.lines[form.lines[0]])) add(form.lines[0], { label: "baseline", stroke: blue, width: 2 });
  add(form.lines[1], { label: form.what || "canary", stroke: orange, width: 2, dash: [6, 3] });
  const bands = [];
  if (form.band && known(data.lines[form.band[1]])) {
    add(form.band[0], { label: "at least", stroke: orange, width: 0.5 });
    add(form.band[1], { label: "at most", stroke: orange, width: 0.5 });
    bands.push({ series: [series.length - 1, series.length - 2], fill: `${orange}33` });
  }
  if (form.limit && known(data.lines[form.limit])) add(form.limit, { label: "limit", stroke: colour("fail"), width: 1.5, dash: [2, 3] });
  const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
  const reach = (_, low, high) => {
    // A limit far away or an interval without end must not flatten the lines.
    const near = columns.slice(1, 1 + (form.thin || []).length + 2).flat().filter((one) => one !== null);
    if (!near.length) return [low ?? 0, high ?? 1];
    const nothing = form.zero || unit === "share" ? [0] : []; // a difference is one from nothing
    const top = Math.max(...near, ...nothing), floor = Math.min(...near, ...nothing);
    const room = 3 * (top - floor || Math.abs(top) || (unit === "share" ? 0.01 : 1));
    const [least, most] = unit === "share" ? [0, 1] : [-Infinity, Infinity];
    return uPlot.rangeNum(Math.max(Math.min(low, floor), floor - room, least), Math.min(Math.max(high, top), top + room, most), 0.1, true);
  };
  return {
    columns,
    made: {
      width, height: HEIGHT, series, bands,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { y: { range: reach } },
      // A time is eight characters wide, and the last one stands at the very edge.
      padding: [null, 28, null, null],
      axes: [{ ...axis, space: 88, values: (_, marks, __, ___, step) => marks.map((at) => clock(at).slice(0, step < 60 ? 8 : 5)) }, { ...axis, size: 70, values: (_, marks) => marks.map((one) => spoken(one, unit)) }],
      cursor: { sync: { key: data.check }, drag: { x: true, y: false }, focus: { prox: -1 } },
      hooks: { draw: [steps(data.steps)] },
    },
  };
}

function figure(form, data, place, table) {
  const unit = form.unit || (form.zero && data.unit === "share" ? "points" : data.unit);
  const made = document.createElement("figure");
  made.className = "chart";
  made.setAttribute("role", "figure");
  const title = document.createElement("figcaption");
  title.id = `${place}-title`;
  title.textContent = form.title;
  const words = document.createElement("p");
  words.className = "summary quiet";
  words.id = `${place}-summary`;
  words.textContent = summary(form, data.lines, unit);
  const plot = document.createElement("div");
  plot.className = "plot";
  plot.tabIndex = 0;
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-labelledby", `${title.id} ${words.id}`);
  plot.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight Home End");
  if (table) plot.setAttribute("aria-details", table.id);
  const live = document.createElement("p");
  live.className = "unseen";
  live.setAttribute("aria-live", "polite");
  made.setAttribute("aria-labelledby", title.id);
  made.append(title, words, plot, live);
  return { made, plot, live, form, unit, data };
}

function draw(chart) {
  chart.uplot?.destroy();
  const { columns, made } = options(chart.form, chart.data, chart.unit, Math.max(260, chart.plot.clientWidth));
  chart.uplot = new uPlot(made, columns, chart.plot);
}

function keys(chart) {
  let at = chart.data.lines.ends.length - 1;
  const last = at;
  chart.plot.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at = Math.min(last, Math.max(0, to));
    const left = chart.uplot.valToPos(chart.data.lines.ends[at], "x");
    chart.uplot.setCursor({ left, top: HEIGHT / 3 });
    chart.live.textContent = said(chart.form, chart.data.lines, chart.unit, at);
  });
}

function forms(data) {
  return FORMS.filter((form) => known(data.lines[form.lines[1]]) && !(form.without && known(data.lines[form.without])));
}

async function open(details) {
  if (drawn.has(details)) return;
  drawn.set(details, []);
  const place = details.querySelector("[data-charts]");
  const word = details.querySelector("[data-nocharts]");
  try {
    const answer = await fetch(details.dataset.series, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const data = await answer.json();
    const table = details.querySelector("table");
    const id = details.closest("article").id;
    if (table) table.id = `${id}-looks`;
    place.hidden = false;
    const charts = forms(data).map((form, at) => figure(form, data, `${id}-chart${at}`, table));
    place.replaceChildren(...charts.map((chart) => chart.made));
    charts.forEach((chart) => { draw(chart); keys(chart); });
    drawn.set(details, charts);
    word.hidden = charts.length > 0;
    if (!charts.length) word.textContent = "There is nothing to draw of this check; its looks are in the table.";
  } catch (error) {
    drawn.delete(details);
    word.textContent = `The charts could not be loaded (${error.message}); the table has the looks. Fold and unfold to try again.`;
  }
}

function again() {
  for (const [details, charts] of drawn) {
    if (!details.isConnected) { charts.forEach((chart) => chart.uplot?.destroy()); drawn.delete(details); }
    else charts.forEach(draw);
  }
}

function watch(root) {
  for (const details of root.querySelectorAll("details[data-series]")) {
    details.addEventListener("toggle", () => { if (details.open) open(details); });
    if (details.open) open(details);
  }
}

let resized;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(again, 150); });
document.addEventListener("firedamp-theme", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
document.addEventListener("firedamp:shown", () => { again(); watch(document); });
watch(document);
