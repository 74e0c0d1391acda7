// The crane's tablet: a touch confirms a job through the queue (queue.js). Without this file the forms stay.
(function () {
  "use strict";

  let page, queue;

  function onSubmit(event) {
    const form = event.target.closest("form[data-confirm]");
    if (!form) { return; }
    const job = form.closest("[data-job]");
    const known = queue.read().some(function (item) { return item.about === job.dataset.job; });
    const kept = known || queue.add({ about: job.dataset.job, number: job.dataset.number, path: form.dataset.confirm, body: {} });
    if (kept) { event.preventDefault(); } // a browser that keeps nothing sends the form its usual way
  }

  function mark(items) {
    items.forEach(function (item) {
      const job = page.querySelector('[data-job="' + CSS.escape(item.about) + '"]');
      if (!job) { return; }
      const state = job.querySelector(".job-state");
      state.hidden = false;
      state.textContent = item.refused ? "Refused, see above" : "Done here, not yet sent";
      job.classList.toggle("job-queued", !item.refused);
      job.querySelector("button").disabled = true;
    });
  }

  function setClock() {
    const list = page.querySelector("[data-now]");
    if (list) { queue.setClock(list.dataset.now); }
  }

  function refresh() { if (window.htmx) { window.htmx.ajax("GET", location.pathname + "/list", "#crane-jobs"); } }

  document.addEventListener("DOMContentLoaded", function () {
    page = document.getElementById("crane");
    if (!page) { return; }
    queue = window.strandlineQueue({
      key: "strandline.crane." + page.dataset.crane, one: "job is", many: "jobs are",
      person: function () { return { id: page.dataset.person, name: page.dataset.name }; },
      box: document.getElementById("crane-queue"), refused: document.getElementById("crane-refused"),
      onShow: mark, onSent: refresh, onAnswer: function () {}
    });
    setClock();
    document.addEventListener("submit", onSubmit, true);
    document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.target.id === "crane-jobs") { setClock(); queue.show(); } });
    queue.start();
  });
})();
