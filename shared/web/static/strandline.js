// Small comforts. Every page works without this file.
(function () {
  "use strict";

  // "/" goes to the search box from anywhere that is not a field
  document.addEventListener("keydown", function (event) {
    const inField = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = document.getElementById("q");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.who[open]").forEach(function (menu) { menu.open = false; });
    }
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.who[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
  });

  // figures are checked as they are typed, in the words of the hint below the field
  document.addEventListener("input", function (event) {
    const field = event.target;
    const hint = field.id && document.getElementById("h-" + field.name);
    if (!hint || field.type !== "number") { return; }
    const wrong = field.value !== "" && !field.validity.valid;
    field.setAttribute("aria-invalid", wrong ? "true" : "false");
    hint.classList.toggle("wrong", wrong);
  });

  // a second press while the first is on its way does nothing
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (form.method !== "post") { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(function () { delete form.dataset.sent; }, 4000);
  });

  // who is signed in on this tablet, for pages that open without a line
  const who = document.querySelector("details.who");
  if (who) {
    try { localStorage.setItem("strandline.person", JSON.stringify({ id: who.dataset.person, name: who.dataset.name })); } catch (error) { /* then such a page takes no touch */ }
  }

  // who signs out takes along what a page kept of lists and names; touches not yet sent stay until they are sent
  document.addEventListener("submit", function (event) {
    if (!event.target.action.endsWith("/sign-out")) { return; }
    try {
      Object.keys(localStorage).forEach(function (key) { if (/^strandline\.(person|.*\.list)$/.test(key)) { localStorage.removeItem(key); } });
    } catch (error) { /* a browser that keeps nothing has nothing to lose */ }
  });

  // the honest line is honest about its own server too
  let lost = null;
  function onLost(event) {
    const line = document.getElementById("status");
    if (event.detail.elt !== line) { return; }
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    lost = lost || new Date();
    const since = lost.toTimeString().slice(0, 5);
    const text = status === 401 ? "Signed out. Sign in again to go on." : "No contact with this server since " + since + ". What you see may be old.";
    const note = document.createElement("span");
    note.className = "status-line status-alarm";
    note.textContent = text;
    line.replaceChildren(note);
  }
  document.addEventListener("htmx:sendError", onLost);
  document.addEventListener("htmx:responseError", onLost);
  document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.elt.id === "status") { lost = null; } });
})();
