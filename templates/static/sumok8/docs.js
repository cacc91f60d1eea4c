"use strict";
(() => {
  // Swagger UI's own dark colours hang on this class.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const paint = () => root.classList.toggle("dark-mode", root.dataset.theme === "dark" || (root.dataset.theme !== "light" && dark.matches));
  dark.addEventListener("change", paint);
  new MutationObserver(paint).observe(root, { attributeFilter: ["data-theme"] });
  paint();

  const box = document.getElementById("swagger-ui");
  // It brings a second <main> and skips a level of headings: it does not know the page around it.
  new MutationObserver(() => {
    box.querySelectorAll("main:not([role])").forEach((part) => {
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", "Every address");
    });
    box.querySelectorAll("h3.opblock-tag:not([aria-level])").forEach((heading) => heading.setAttribute("aria-level", "2"));
  }).observe(box, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: box.dataset.schema,
    domNode: box,
    deepLinking: false, // its links sit inside buttons, which screen readers cannot use
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false, // a key stays out of the browser's storage
    validatorUrl: null,
    syntaxHighlight: { activated: true },
  });
})();
