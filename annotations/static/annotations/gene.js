// Draws alleles along a gene: a pin for each, higher where it is graver, over the transcripts' exons.
import { save } from "./charts.js";

const script = document.getElementById("gene-script");
const echarts = await import(script.dataset.echarts);
const place = document.querySelector("[data-gene]");
const answer = await fetch(place.dataset.gene);
const LEVELS = ["MODIFIER", "LOW", "MODERATE", "HIGH"];
// Shapes tell the impacts apart without colour.
const LOOKS = {
  HIGH: { symbol: "triangle", color: "#d55e00", symbolSize: 13 },
  MODERATE: { symbol: "diamond", color: "#e69f00", symbolSize: 12 },
  LOW: { symbol: "rect", color: "#0072b2", symbolSize: 8 },
  MODIFIER: { symbol: "circle", color: "#7b898e", symbolSize: 6 },
};
const LANE = 22;

function options(gene, forFile) {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const margin = Math.max(10, Math.round((gene.end - gene.start) * 0.02));
  const names = gene.transcripts.map((one) => one.transcript);
  const span = { min: gene.start - margin, max: gene.end + margin };
  const axis = { type: "value", ...span, axisLabel: { color: of("--quiet"), hideOverlap: true, formatter: (value) => value.toLocaleString("en") }, splitLine: { show: false } };
  const lanes = names.length * LANE;
  return {
    animation: false,
    backgroundColor: forFile ? of("--panel") : "transparent",
    textStyle: { color: of("--text"), fontFamily: "system-ui, sans-serif" },
    title: forFile ? { text: `${gene.name}, ${gene.contig}:${gene.start}-${gene.end}`, textStyle: { color: of("--text"), fontSize: 14 } } : undefined,
    tooltip: { renderMode: "richText", confine: true },
    legend: { top: forFile ? 24 : 0, textStyle: { color: of("--text") }, data: [...LEVELS].reverse().map((name) => ({ name, icon: LOOKS[name].symbol })) },
    grid: [
      { left: 150, right: 24, top: 50, height: 170 },
      { left: 150, right: 24, top: 235, height: lanes },
    ],
    xAxis: [{ ...axis, gridIndex: 0, axisLabel: { show: false } }, { ...axis, gridIndex: 1, position: "bottom" }],
    yAxis: [
      { type: "value", gridIndex: 0, min: 0, max: 4.6, interval: 1, axisLabel: { color: of("--quiet"), formatter: (value) => (LEVELS[value - 1] || "").toLowerCase() }, splitLine: { lineStyle: { color: of("--line") } } },
      { type: "category", gridIndex: 1, data: names, inverse: true, axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: of("--text"), width: 140, overflow: "truncate" } },
    ],
    dataZoom: [{ type: "inside", xAxisIndex: [0, 1], filterMode: "none" }, { type: "slider", xAxisIndex: [0, 1], filterMode: "none", bottom: 8, height: 20 }],
    series: [...LEVELS.map((level) => pins(gene, level, of)), exons(gene, of)],
  };
}

function pins(gene, level, of) {
  const height = LEVELS.indexOf(level) + 1;
  const own = gene.variants.filter((one) => one.impact === level);
  return {
    name: level, type: "scatter", xAxisIndex: 0, yAxisIndex: 0,
    symbol: LOOKS[level].symbol, symbolSize: LOOKS[level].symbolSize, itemStyle: { color: LOOKS[level].color, borderColor: of("--panel"), borderWidth: 1 },
    data: own.map((one) => ({ value: [one.pos, height], variant: one })),
    markLine: own.length > 400 ? undefined : {
      silent: true, symbol: "none", lineStyle: { type: "solid", width: 1, color: of("--edge") }, label: { show: false },
      data: own.map((one) => [{ coord: [one.pos, 0] }, { coord: [one.pos, height] }]),
    },
    tooltip: {
      formatter: ({ data: { variant } }) => [
        `${variant.chrom}:${variant.pos.toLocaleString("en")} ${short(variant.ref)} → ${short(variant.alt)}`,
        `${variant.consequence.replaceAll("_", " ")}`,
        variant.hgvsp || variant.hgvsc || "", variant.id || "",
      ].filter(Boolean).join("\n"),
    },
  };
}

function short(allele) {
  return allele.length > 20 ? `${allele.slice(0, 19)}…` : allele;
}

function exons(gene, of) {
  return {
    type: "custom", xAxisIndex: 1, yAxisIndex: 1, name: "Transcripts", clip: true, encode: { x: [1, 2], y: 0 },
    tooltip: { formatter: ({ dataIndex }) => { const one = gene.transcripts[dataIndex]; return `${one.transcript}${one.mane ? " (MANE)" : one.canonical ? " (canonical)" : ""}\n${one.biotype.replaceAll("_", " ")}, ${one.exons.length} exons`; } },
    data: gene.transcripts.map((one, lane) => [lane, one.start, one.end]),
    renderItem: (params, api) => {
      const one = gene.transcripts[params.dataIndex];
      const x = (position) => api.coord([position, params.dataIndex])[0];
      const y = api.coord([one.start, params.dataIndex])[1];
      const box = (from, to, height, look) => ({
        type: "rect", shape: { x: x(from), y: y - height / 2, width: Math.max(1, x(to + 1) - x(from)), height }, style: look,
      });
      const coding = [];
      if (one.cds) {
        for (const [from, to] of one.exons) {
          const start = Math.max(from, one.cds[0]), end = Math.min(to, one.cds[1]);
          if (start <= end) coding.push(box(start, end, 14, { fill: of("--accent") }));
        }
      }
      return {
        type: "group",
        children: [
          { type: "line", shape: { x1: x(one.start), y1: y, x2: x(one.end), y2: y }, style: { stroke: of("--edge"), lineWidth: 1 } },
          ...one.exons.map(([from, to]) => box(from, to, 7, { fill: of("--panel"), stroke: of("--accent"), lineWidth: 1 })),
          ...coding,
        ],
      };
    },
  };
}

if (answer.ok) {
  const gene = await answer.json();
  const height = 300 + LANE * gene.transcripts.length;
  place.style.height = `${height}px`;
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption(options(gene, false));
  chart.on("click", ({ data }) => {
    if (data && data.variant) window.location = new URL(`../rows/${data.variant.row}/`, window.location);
  });
  window.addEventListener("resize", () => chart.resize());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.setOption(options(gene, false), true));
  for (const button of place.parentElement.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", () => save(echarts, place, gene.name, button.dataset.save, options(gene, true)));
  }
}
