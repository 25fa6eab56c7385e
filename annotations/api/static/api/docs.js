// Draws the list of operations. Whoever is logged in tries them by the session, which wants its CSRF token.
const place = document.getElementById("swagger");
window.SwaggerUIBundle({
  url: place.dataset.openapi,
  dom_id: "#swagger",
  deepLinking: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
