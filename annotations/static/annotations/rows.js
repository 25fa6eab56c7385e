// A row opens in the table; without this script its link leads to a page of its own.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-opens]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const row = document.getElementById(link.dataset.opens).parentElement;
  row.hidden = !row.hidden;
  link.setAttribute("aria-expanded", String(!row.hidden));
  if (!row.hidden && !row.firstElementChild.hasChildNodes()) link.dispatchEvent(new CustomEvent("open"));
});
for (const link of document.querySelectorAll("a[data-opens]")) {
  link.setAttribute("role", "button");
  link.setAttribute("aria-expanded", "false");
  link.setAttribute("aria-controls", link.dataset.opens);
}
