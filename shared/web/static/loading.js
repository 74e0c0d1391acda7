// Loading at the gate's tablet: a touch that puts a piece on goes through the queue (queue.js), with or without a line.
// Without this file the forms stay.
(function () {
  "use strict";

  let page, queue;

  function onSubmit(event) {
    const form = event.target.closest("form[data-queue]");
    if (!form) { return; }
    const field = form.querySelector('[name="piece"]'), number = field.value.trim(), about = "load " + page.dataset.load + " " + number;
    if (!number) { return; }
    const known = queue.read().some(function (item) { return item.about === about && !item.refused; });
    const body = { piece: number }, vehicle = document.getElementById("f-vehicle");
    if (vehicle && vehicle.value) { body.vehicle = vehicle.value; }
    if (!(known || queue.add({ about: about, number: number, path: form.dataset.queue, body: body }))) { return; } // the form goes its usual way
    event.preventDefault();
    if (field.type !== "hidden") { field.value = ""; field.focus(); }
  }

  function mark(items) {
    items.forEach(function (item) {
      const form = page.querySelector('[data-about="' + CSS.escape(item.about) + '"]');
      if (!form) { return; }
      const button = form.querySelector("button");
      button.disabled = true;
      button.classList.toggle("queued", !item.refused);
      button.querySelector(".piece-state").textContent = item.refused ? "Refused, see above" : "Loaded here, not yet sent";
    });
  }

  function setClock() {
    const list = page.querySelector("[data-now]");
    if (list) { queue.setClock(list.dataset.now); }
  }

  function refresh() { if (window.htmx) { window.htmx.ajax("GET", page.dataset.list, "#load-list"); } }

  document.addEventListener("DOMContentLoaded", function () {
    page = document.getElementById("loading");
    if (!page) { return; }
    queue = window.strandlineQueue({
      key: "strandline.loading." + page.dataset.plant, one: "piece is", many: "pieces are", shell: false,
      person: function () { return { id: page.dataset.person, name: page.dataset.name }; },
      box: document.getElementById("load-queue"), refused: document.getElementById("load-refused"),
      onShow: mark, onSent: refresh, onAnswer: function () {}
    });
    setClock();
    document.addEventListener("submit", onSubmit, true);
    document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.target.id === "load-list") { setClock(); queue.show(); } });
    queue.start();
  });
})();
