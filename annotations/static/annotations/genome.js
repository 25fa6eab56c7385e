// The genome browser, with nothing but this site's own data.
const script = document.getElementById("genome-script");
const place = document.getElementById("genome");
const trouble = document.getElementById("genome-trouble");

function sorry(error) {
  trouble.textContent = `The genome browser could not be opened: ${error.message || error}`;
  trouble.hidden = false;
}

try {
  const igv = (await import(script.dataset.igv)).default;
  const answer = await fetch(script.dataset.settings);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const settings = await answer.json();
  const stretch = ({ chr, start, end }) => ({ contig: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end) });
  const asked = script.dataset.query;
  const found = asked ? [{
    name: "Found by the filter", type: "annotation", displayMode: "EXPANDED", height: 90, visibilityWindow: 1_000_000, order: 2,
    sourceType: "custom",
    source: {
      url: (place) => `${settings.foundURL}?${asked}&${new URLSearchParams(stretch(place))}`,
      contentType: "application/json",
    },
  }] : [];
  const browser = await igv.createBrowser(place, {
    reference: settings.reference,
    locus: script.dataset.locus || "all",
    loadDefaultGenomes: false,
    showChromosomeWidget: true,
    tracks: [
      {
        name: "Genes", type: "annotation", displayMode: "EXPANDED", height: 140, visibilityWindow: 5_000_000, order: 1,
        sourceType: "custom",
        source: {
          url: (place) => `${settings.genesURL}?${new URLSearchParams(stretch(place))}`,
          contentType: "application/json",
        },
      },
      ...found,
      { ...settings.variants, type: "variant", format: "vcf", displayMode: "EXPANDED", visibilityWindow: 1_000_000, order: 3 },
    ],
  });
  // igv.js draws black on white and knows nothing else: in a dark page all of it is turned, with its hues kept.
  const looks = new CSSStyleSheet();
  looks.replaceSync(`
    :host, .igv-container, .igv-container * { color-scheme: light; }
    .igv-container { background: #fff; color: #000; }
    @media (prefers-color-scheme: dark) { .igv-container { filter: invert(.88) hue-rotate(180deg); } }
  `);
  place.shadowRoot.adoptedStyleSheets = [...place.shadowRoot.adoptedStyleSheets, looks];
  for (const [selector, label] of [["input[type=range]", "Zoom"], ["select", "Chromosome"], ["input[type=text]", "Locus"]]) {
    for (const field of place.shadowRoot.querySelectorAll(selector)) {
      if (!field.ariaLabel) field.ariaLabel = label;
    }
  }
  place.dataset.ready = "yes";
  window.addEventListener("pagehide", () => igv.removeBrowser(browser));
} catch (error) {
  sorry(error);
}
