// Shows every <time> in the reader's own zone; the exact UTC time stays in its title and datetime.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    time.textContent = format.format(new Date(time.dateTime));
    time.dataset.local = "";
  }
}

localise(document);
document.addEventListener("htmx:afterSettle", () => localise(document));
