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
          url: ({ chr, start, end }) => `${settings.genesURL}?${new URLSearchParams({ contig: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end) })}`,
          contentType: "application/json",
        },
      },
      { ...settings.variants, type: "variant", format: "vcf", displayMode: "EXPANDED", visibilityWindow: 1_000_000, order: 2 },
    ],
  });
  // igv.js draws on white; in a dark page its texts and fields would be white, too.
  const light = new CSSStyleSheet();
  light.replaceSync(":host, .igv-container, .igv-container * { color-scheme: light; }");
  place.shadowRoot.adoptedStyleSheets = [...place.shadowRoot.adoptedStyleSheets, light];
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
