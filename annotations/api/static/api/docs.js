// Draws the list of operations. Whoever is logged in tries them by the session, which wants its CSRF token.
const place = document.getElementById("swagger");

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// What it leaves without a name, for who listens to the page, and out of the keyboard's reach.
function mend() {
  for (const field of place.querySelectorAll("select#servers:not([aria-label])")) field.ariaLabel = "Server";
  for (const example of place.querySelectorAll("pre.example:not([tabindex])")) example.tabIndex = 0;
}
new MutationObserver(mend).observe(place, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: place.dataset.openapi,
  dom_id: "#swagger",
  deepLinking: false, // its links would stand within buttons
  defaultModelsExpandDepth: -1, // each operation shows what it takes and gives
  presets: [window.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
