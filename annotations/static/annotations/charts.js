// What all charts of the site share.

// Saves a chart as it is drawn for a file: as SVG, or as PNG at twice the size.
export function save(echarts, place, name, form, option) {
  const size = { width: Math.max(720, place.clientWidth), height: place.clientHeight + 30 };
  const sheet = document.createElement("div");
  const chart = echarts.init(sheet, null, { renderer: form === "svg" ? "svg" : "canvas", ...size });
  chart.setOption(option);
  const link = document.createElement("a");
  link.download = `${name}.${form}`;
  if (form === "svg") {
    link.href = URL.createObjectURL(new Blob([chart.renderToSVGString()], { type: "image/svg+xml" }));
  } else {
    link.href = chart.getDataURL({ type: "png", pixelRatio: 2 });
  }
  link.click();
  chart.dispose();
}
