// The crane's tablet where the radio has holes: a touch is kept here with its command id, sent in order when the line is
// back, once only (the server knows the id), and the page says what has not been sent. Without this file the forms stay.
(function () {
  "use strict";

  const RETRY_MS = 3000, ANSWER_MS = 15000;
  let page, key, sending = false, lostAt = null, signedOut = false, clock = { server: 0, here: 0 };

  function read() {
    try { return JSON.parse(localStorage.getItem(key)) || []; } catch (error) { return []; }
  }

  // false where the browser keeps nothing: then the form goes its usual way
  function write(items) {
    try { localStorage.setItem(key, JSON.stringify(items)); return true; } catch (error) { return false; }
  }

  // the server's clock, carried on by the time since the list came: a tablet's own may be wrong, but goes on while it sleeps
  function now() { return Math.round(clock.server + Date.now() - clock.here); }

  function setClock() {
    const list = page.querySelector("[data-now]");
    if (list) { clock = { server: Number(list.dataset.now), here: Date.now() }; }
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
  }

  function element(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  function onSubmit(event) {
    const form = event.target.closest("form[data-confirm]");
    if (!form) { return; }
    const job = form.closest("[data-job]"), items = read();
    if (items.some(function (item) { return item.job === job.dataset.job; })) { event.preventDefault(); return; }
    items.push({
      job: job.dataset.job, number: job.dataset.number, path: form.dataset.confirm, person: page.dataset.person,
      name: page.dataset.name, body: { command_id: newId(), occurred_at: now() }, refused: ""
    });
    if (!write(items)) { return; }
    event.preventDefault();
    show();
    send();
  }

  function waiting() { return read().filter(function (item) { return !item.refused; }); }

  function words(items) {
    const others = items.filter(function (item) { return item.person !== page.dataset.person; });
    const count = items.length + (items.length === 1 ? " job is" : " jobs are") + " done here and not yet sent: ";
    const numbers = items.map(function (item) { return item.number; }).join(", ") + ". ";
    if (others.length) { return count + numbers + others[0].name + " did them: only " + others[0].name + ", signed in here, can send them."; }
    if (signedOut) { return count + numbers + "You are signed out: sign in again on this tablet and open this page; they go out then."; }
    if (!lostAt) { return count + numbers + "Being sent."; }
    return count + numbers + "No contact since " + lostAt.toTimeString().slice(0, 5) + ". They are kept on this tablet and go out by themselves.";
  }

  function show() {
    const items = waiting(), box = document.getElementById("crane-queue");
    box.hidden = !items.length;
    box.className = "note " + (lostAt || signedOut ? "note-attention" : "note-done");
    box.textContent = items.length ? words(items) : "";
    read().forEach(function (item) {
      const job = page.querySelector('[data-job="' + CSS.escape(item.job) + '"]');
      if (!job) { return; }
      const state = job.querySelector(".job-state");
      state.hidden = false;
      state.textContent = item.refused ? "Refused, see above" : "Done here, not yet sent";
      job.classList.toggle("job-queued", !item.refused);
      job.querySelector("button").disabled = true;
    });
    showRefused();
  }

  function showRefused() {
    const box = document.getElementById("crane-refused");
    box.replaceChildren();
    read().filter(function (item) { return item.refused; }).forEach(function (item) {
      const note = element("div", "note note-alarm", ""), seen = element("button", "push", "Seen");
      note.append(element("div", "", item.number + " was not booked. " + item.refused), seen);
      seen.addEventListener("click", function () {
        write(read().filter(function (other) { return other.body.command_id !== item.body.command_id; }));
        show();
        refresh();
      });
      box.append(note);
    });
  }

  function settle(item, refused) {
    const items = read();
    const at = items.findIndex(function (other) { return other.body.command_id === item.body.command_id; });
    if (at < 0) { return; }
    if (refused) { items[at].refused = refused; } else { items.splice(at, 1); }
    write(items);
  }

  async function post(item) {
    return fetch(item.path, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(item.body), signal: AbortSignal.timeout(ANSWER_MS),
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content }
    });
  }

  // true: go on with the next one
  async function sendOne(item) {
    let answer;
    try { answer = await post(item); } catch (error) { lostAt = lostAt || new Date(); return false; }
    lostAt = null;
    if (answer.ok) { signedOut = false; settle(item, ""); return true; }
    let problem = {};
    try { problem = await answer.json(); } catch (error) { problem = {}; }
    signedOut = answer.status === 401 || problem.code === "web.csrf";
    if (signedOut) { return false; }
    if (answer.status === 429 || answer.status >= 500) { lostAt = new Date(); return false; }
    settle(item, [problem.detail, problem.todo].filter(Boolean).join(" ") || "The server answered " + answer.status + ".");
    return true;
  }

  async function send() {
    if (sending) { return; }
    sending = true;
    let sent = 0;
    try {
      for (let item = waiting()[0]; item && item.person === page.dataset.person; item = waiting()[0]) {
        const on = await sendOne(item);
        show();
        if (!on) { break; }
        sent += 1;
      }
    } finally { sending = false; }
    if (sent) { refresh(); }
  }

  function refresh() { if (window.htmx) { window.htmx.ajax("GET", location.pathname + "/list", "#crane-jobs"); } }

  document.addEventListener("DOMContentLoaded", function () {
    page = document.getElementById("crane");
    if (!page) { return; }
    key = "strandline.crane." + page.dataset.crane;
    setClock();
    document.addEventListener("submit", onSubmit, true);
    document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.target.id === "crane-jobs") { setClock(); show(); } });
    window.addEventListener("online", send);
    window.addEventListener("storage", show);
    window.setInterval(send, RETRY_MS);
    show();
    send();
  });
})();
