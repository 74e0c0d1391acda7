// The editor of standards: puts what the check found beside the fields it is about. Without this file the check on
// saving says the same.
(function () {
  "use strict";
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id !== "check") { return; }
    const form = document.getElementById("editor");
    form.querySelectorAll("p.wrong").forEach(function (said) { said.textContent = ""; });
    form.querySelectorAll("[aria-invalid]").forEach(function (field) { field.removeAttribute("aria-invalid"); });
    event.detail.target.querySelectorAll("[data-path]").forEach(function (fault) {
      const said = document.getElementById("e-" + fault.dataset.path);
      const field = document.getElementById("f-" + fault.dataset.path);
      if (said) { said.textContent = said.textContent ? said.textContent + "; " + fault.dataset.text : fault.dataset.text; }
      if (field) { field.setAttribute("aria-invalid", "true"); }
    });
  });
})();
