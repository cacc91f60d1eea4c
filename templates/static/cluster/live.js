"use strict";
// Keeps polled fragments quiet: no request while nobody looks, no flicker, the log stays at its end if it was there.
(() => {
  const state = document.getElementById("live-state");
  const say = (text, kind) => {
    if (state && state.textContent !== text) {
      state.textContent = text;
      state.className = `live ${kind}`;
    }
  };

  // What scripts drew (charts) is not the server's to change.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !(old.dataset && "keep" in old.dataset);
  // What a reader has opened, closed or chosen stays so.
  const readers = { DETAILS: "open", INPUT: "checked" };
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => readers[node.tagName] !== name;

  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-all]")) return;
    target.closest("form").querySelectorAll("input[name=job]").forEach((box) => { box.checked = target.checked; });
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.querySelectorAll("[hx-get]").forEach((part) => htmx.trigger(part, "wake"));
  });

  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      const status = event.detail.xhr?.status;
      if (status === 403) say("Signed out: reload the page", "stale");
      else say("No answer from the server; trying again", "stale");
    });
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    // A session that ended answers with the sign-in page, which belongs in no fragment.
    if (/\/login\/|\/sign-in/.test(xhr.responseURL)) {
      event.detail.shouldSwap = false;
      say("Signed out: reload the page", "stale");
    } else if (xhr.status === 286) say("Ended", "ended");
    else if (xhr.status < 400 && document.querySelector("#health-cluster.bad")) say("The cluster does not answer", "stale");
    else if (xhr.status < 400) say("Live", "");
  });

  // What is on the page already is not sent again.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.seen) detail.headers["X-Seen"] = detail.elt.seen;
  });
  // How long ago something was goes on by itself, by the server's clock.
  let behind = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const date = Date.parse(detail.xhr.getResponseHeader("Date"));
    if (!Number.isNaN(date)) behind = Date.now() - date;
    if (detail.shouldSwap) detail.elt.seen = detail.xhr.getResponseHeader("X-Seen");
  });
  const span = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min`;
    if (whole < 86400) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
    return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
  };
  setInterval(() => {
    if (behind === null || document.hidden) return;
    document.querySelectorAll("time[data-since]").forEach((time) => {
      const text = span((Date.now() - behind - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    });
  }, 1000);

  // A log is followed while its reader is at its end, and left alone where he has scrolled to.
  let following = true;
  const atEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  const follow = () => document.querySelectorAll("[data-follow]").forEach((log) => { log.scrollTop = log.scrollHeight; });
  document.addEventListener("htmx:beforeSwap", () => {
    const log = document.querySelector("[data-follow]");
    following = !log || atEnd(log);
  });
  document.addEventListener("htmx:afterSwap", () => { if (following) follow(); });
  follow();
})();
