// Draws the plots of a page from their numbers. The numbers stand beside each plot as a table, too.
import { save } from "./charts.js";

const script = document.getElementById("plots-script");
const echarts = await import(script.dataset.echarts);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const charts = new Map();

// Okabe and Ito's colours, told apart by most people; patterns tell the series apart without colour.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

function ink() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { text: of("--text"), quiet: of("--quiet"), line: of("--line"), panel: of("--panel") };
}

function options(numbers, forFile) {
  const colours = ink();
  const { drawing } = numbers;
  const base = {
    aria: { enabled: false, decal: { show: true } },
    color: COLOURS,
    animation: false,
    backgroundColor: forFile ? colours.panel : "transparent",
    textStyle: { color: colours.text, fontFamily: "system-ui, sans-serif" },
    tooltip: { renderMode: "richText", trigger: drawing.kind === "dots" ? "item" : "axis", axisPointer: { type: "shadow" }, confine: true },
    grid: { left: 8, right: 24, top: 36, bottom: drawing.zoomable ? 60 : 28, containLabel: true },
    title: forFile ? { text: numbers.title, textStyle: { color: colours.text, fontSize: 14 } } : undefined,
  };
  return drawing.kind === "dots" ? dots(numbers, base, colours) : bars(numbers, base, colours);
}

function valueAxis(drawing, colours, name) {
  return {
    type: drawing.logarithmic ? "log" : "value",
    name, nameTextStyle: { color: colours.quiet },
    min: drawing.logarithmic ? 0.8 : 0,
    minorTick: { show: false },
    axisLabel: { color: colours.quiet, formatter: (value) => (value < 1 && drawing.logarithmic ? "" : value.toLocaleString("en")) },
    splitLine: { lineStyle: { color: colours.line } },
  };
}

function bars(numbers, base, colours) {
  const { drawing, columns, rows } = numbers;
  const stacked = drawing.kind === "stack";
  // Texts between the name and the counts group the bars; what is no count is in the table alone.
  const grouping = rows.length && typeof rows[0][1] === "string" ? 1 : 0;
  const counts = columns.map((title, place) => place).filter((place) => place > grouping && !columns[place].includes("%"));
  const categories = rows.map((row) => row[0]);
  const turned = !drawing.horizontal && categories.some((name) => name.length > 8);
  const category = {
    type: "category", data: categories, inverse: drawing.horizontal, name: drawing.horizontal || turned ? "" : columns[0],
    nameLocation: "middle", nameGap: 30, nameTextStyle: { color: colours.quiet },
    axisLabel: { color: colours.text, hideOverlap: true, interval: drawing.horizontal ? 0 : "auto", rotate: turned ? 30 : 0 },
    axisLine: { lineStyle: { color: colours.quiet } },
  };
  const value = valueAxis(drawing, colours, drawing.horizontal ? "" : columns[counts[0]]);
  if (stacked) value.name = "Alleles";
  let series;
  if (grouping) {
    const groups = [...new Set(rows.map((row) => row[1]))];
    series = groups.map((group) => ({
      // Side by side in one place: each name is of one group only, and logarithms can't be stacked.
      type: "bar", name: group || "none", barGap: "-100%",
      data: rows.map((row) => (row[1] === group ? row[counts[0]] || null : null)),
    }));
  } else {
    series = (stacked ? counts : counts.slice(0, 1)).map((place) => ({
      type: "bar", name: columns[place], stack: stacked ? "all" : undefined,
      data: rows.map((row) => row[place] || (drawing.logarithmic ? null : 0)),
    }));
  }
  const many = series.length > 1;
  return {
    ...base,
    aria: { enabled: many, label: { enabled: false }, decal: { show: many } },
    legend: many ? { type: "scroll", top: 0, right: 0, textStyle: { color: colours.text }, itemWidth: 22 } : undefined,
    xAxis: drawing.horizontal ? value : category,
    yAxis: drawing.horizontal ? category : value,
    dataZoom: drawing.zoomable ? [{ type: "slider", bottom: 8, end: Math.min(100, 3000 / rows.length) }] : undefined,
    series,
  };
}

function dots(numbers, base, colours) {
  const contigs = [...new Set(numbers.rows.map((row) => row[0]))];
  const most = Math.max(...numbers.rows.map((row) => row[3]), 1);
  return {
    ...base,
    xAxis: { type: "value", name: "Position, million bases", nameLocation: "middle", nameGap: 26, nameTextStyle: { color: colours.quiet }, axisLabel: { color: colours.quiet }, splitLine: { show: false } },
    yAxis: { type: "category", data: contigs, inverse: true, axisLabel: { color: colours.text }, splitLine: { show: true, lineStyle: { color: colours.line } } },
    tooltip: { ...base.tooltip, formatter: ({ data }) => `${data[1]}:${data[3].toLocaleString("en")}-${data[4].toLocaleString("en")}\n${data[2].toLocaleString("en")} alleles` },
    series: [{
      type: "scatter",
      // The size says how many; the area grows with the count.
      symbolSize: (data) => 2 + 16 * Math.sqrt(data[2] / most),
      itemStyle: { opacity: 0.75 },
      data: numbers.rows.map((row) => [(row[1] + row[2]) / 2e6, row[0], row[3], row[1], row[2]]),
    }],
  };
}

function height(numbers) {
  if (numbers.drawing.horizontal) return 60 + 22 * numbers.rows.length;
  if (numbers.drawing.kind === "dots") return 100 + 20 * new Set(numbers.rows.map((row) => row[0])).size;
  return 300;
}

async function draw(place) {
  if (charts.has(place)) return;
  charts.set(place, null);
  const answer = await fetch(place.dataset.chart, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const numbers = await answer.json();
  place.style.height = `${height(numbers)}px`;
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption(options(numbers, false));
  charts.set(place, { chart, numbers });
  for (const button of place.parentElement.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", () => save(echarts, place, place.dataset.name, button.dataset.save, options(numbers, true)));
  }
}

function drawAll() {
  for (const place of document.querySelectorAll("[data-chart]")) draw(place);
}

drawAll();
document.body.addEventListener("htmx:afterSettle", drawAll);
window.addEventListener("resize", () => charts.forEach((one) => one && one.chart.resize()));
dark.addEventListener("change", () => charts.forEach((one) => one && one.chart.setOption(options(one.numbers, false), true)));
