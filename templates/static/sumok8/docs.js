"use strict";
(() => {
  // Swagger UI's own dark colours hang on this class.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();

  const root = document.getElementById("swagger-ui");
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
