"use strict";
// Drag and drop and a bar; without this the form works as it is.
(() => {
  const form = document.getElementById("upload");
  const file = form.elements.file;
  const bar = document.getElementById("upload-progress");
  const state = document.getElementById("upload-state");
  const list = document.getElementById("upload-problems");
  const button = form.querySelector("button");

  const say = (text) => { state.textContent = text; };
  const tell = (problems) => {
    list.replaceChildren(...problems.map(({ message, hint, where }) => {
      const item = document.createElement("li");
      item.textContent = hint ? `${message} ${hint}` : message;
      if (where) {
        const place = document.createElement("span");
        place.className = "sub mono";
        place.textContent = where;
        item.append(place);
      }
      return item;
    }));
  };
  const refused = (text, problems = []) => {
    bar.hidden = true;
    button.disabled = false;
    say(text);
    tell(problems);
  };

  function send() {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? (100 * loaded) / total : 0;
      say(loaded < total ? `${Math.round(bar.value)} % sent` : "Sent; it is being checked …");
    });
    request.addEventListener("load", () => {
      const answer = request.response || {};
      if (answer.address) location.assign(answer.address);
      else refused("It was not stored.", answer.problems || [answer.error || { message: `The server answered ${request.status}.` }]);
    });
    request.addEventListener("error", () => refused("The connection broke off; send it again."));
    tell([]);
    bar.value = 0;
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  }
  form.addEventListener("drop", ({ dataTransfer }) => {
    if (!dataTransfer.files.length) return;
    file.files = dataTransfer.files;
    send();
  });
})();
