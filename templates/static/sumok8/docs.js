"use strict";
(() => {
  // Swagger UI's own dark colours hang on this class.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();

  const root = document.getElementById("swagger-ui");
  // It brings a second <main> and skips a level of headings: it does not know the page around it.
  new MutationObserver(() => {
    root.querySelectorAll("main:not([role])").forEach((part) => {
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", "Every address");
    });
    root.querySelectorAll("h3.opblock-tag:not([aria-level])").forEach((heading) => heading.setAttribute("aria-level", "2"));
  }).observe(root, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: root.dataset.schema,
    domNode: root,
    deepLinking: false, // its links sit inside buttons, which screen readers cannot use
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false, // a key stays out of the browser's storage
    validatorUrl: null,
    syntaxHighlight: { activated: true },
  });
})();
