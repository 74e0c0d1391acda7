// Loading at the gate's tablet: a touch that puts a piece on goes through the queue (queue.js), with or without a line.
// Without this file the forms stay. Where no server answers, the worker opens an empty shell of the page; what it shows is the
// list that this browser kept when the page was last open, until a person signs out here (strandline.js).
(function () {
  "use strict";

  const AWAY = [502, 503, 504], LIST_MS = 5000, ANSWER_MS = 8000, LISTS_MAX = 20, LIST_AGE_MAX_MS = 7 * 86400000;
  let page, queue, person = null, load = "";

  function at(id) { return document.getElementById(id); }
  function lead() { return "strandline.loading." + page.dataset.plant + "."; }
  function listKey(number) { return lead() + number + ".list"; }

  function onSubmit(event) {
    const form = event.target.closest("form[data-queue]");
    if (!form) { return; }
    const field = form.querySelector('[name="piece"]'), number = field.value.trim(), about = "load " + load + " " + number;
    if (page.dataset.shell) { event.preventDefault(); }
    if (!number) { return; }
    const known = queue.read().some(function (item) { return item.about === about && !item.refused; });
    const body = { piece: number }, vehicle = at("f-vehicle");
    if (vehicle && vehicle.value) { body.vehicle = vehicle.value; }
    const kept = known || (person && queue.add({ about: about, number: number, path: form.dataset.queue, body: body }));
    if (!kept) { if (page.dataset.shell) { say("This browser keeps nothing more: it was not noted."); } return; } // a form goes its usual way
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

  function refresh() { if (window.htmx && !page.dataset.shell) { window.htmx.ajax("GET", page.dataset.list, "#load-list"); } }

  // what the shell needs of this page: no form, no token, only what is written on the tiles
  function keepList() {
    const pieces = Array.from(page.querySelectorAll("form[data-about]")).map(function (form) {
      const words = Array.from(form.querySelectorAll("button > *")).map(function (part) { return part.textContent; });
      return { number: form.querySelector('[name="piece"]').value, words: words };
    });
    const vehicles = Array.from(document.querySelectorAll("#f-vehicle option")).map(function (one) { return one.value; }).filter(Boolean);
    const now = page.querySelector("[data-now]");
    const list = { title: page.dataset.title, pieces: pieces, vehicles: vehicles, now: now && now.dataset.now, here: Date.now() };
    try {
      if (now && now.dataset.state === "open") { localStorage.setItem(listKey(load), JSON.stringify(list)); } else { localStorage.removeItem(listKey(load)); }
    } catch (error) { /* then it is not kept */ }
    keptLists();
  }

  // the youngest lists, their loads' numbers; what is older, or one too many, is kept no longer
  function keptLists() {
    const keys = Object.keys(localStorage).filter(function (key) { return key.startsWith(lead()) && key.endsWith(".list"); });
    const lists = keys.map(function (key) { return { key: key, here: (recall(key) || {}).here || 0 }; });
    lists.sort(function (one, other) { return other.here - one.here; });
    const fresh = lists.filter(function (one, place) { return place < LISTS_MAX && Date.now() - one.here < LIST_AGE_MAX_MS; });
    lists.filter(function (one) { return !fresh.includes(one); }).forEach(function (one) { localStorage.removeItem(one.key); });
    return fresh.map(function (one) { return one.key.slice(lead().length, -5); });
  }

  function recall(key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch (error) { return null; }
  }

  function say(words) { at("load-line").textContent = words; }

  function tile(piece) {
    const item = document.createElement("li"), form = document.createElement("form"), field = document.createElement("input");
    const button = queue.element("button", "piece-tap", "");
    field.type = "hidden";
    field.name = "piece";
    field.value = piece.number;
    form.dataset.queue = path();
    form.dataset.about = "load " + load + " " + piece.number;
    piece.words.forEach(function (word, place) {
      button.append(queue.element(place ? "span" : "b", place === piece.words.length - 1 ? "quiet piece-state" : "code", word));
    });
    form.append(field, button);
    item.append(form);
    return item;
  }

  function path() { return page.dataset.piece.replace("LOAD", encodeURIComponent(load)); }

  function showKept(kept) {
    at("load-title").textContent = kept.title;
    at("load-scan").hidden = false;
    at("load-scan").dataset.queue = path();
    at("load-vehicles").hidden = kept.vehicles.length < 2;
    kept.vehicles.forEach(function (code) { at("f-vehicle").append(new Option(code, code)); });
    at("load-tiles").append(...kept.pieces.map(tile));
    const since = new Date(kept.here).toTimeString().slice(0, 5);
    say("No contact with this server. This is the list of " + since + ". Go on as " + person.name + ": what you do is kept here and sent when the line is back.");
  }

  function showLoads() {
    const numbers = keptLists();
    numbers.forEach(function (number) {
      const item = document.createElement("li"), link = queue.element("a", "tile", recall(listKey(number)).title);
      link.href = page.dataset.loads + encodeURIComponent(number);
      item.append(link);
      at("load-tiles").append(item);
    });
    say("No contact with this server. " + (numbers.length ? "These loads were open on this tablet." : "No load was open on this tablet before: it can be opened when the line is back."));
  }

  async function lookForServer() {
    let answer;
    try { answer = await fetch(window.location.href, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) }); } catch (error) { return; }
    if (!AWAY.includes(answer.status)) { window.location.reload(); }
  }

  function openShell() {
    load = decodeURIComponent(window.location.pathname.slice(page.dataset.loads.length));
    person = recall("strandline.person"); // whoever is signed in on this tablet, not who opened this load (strandline.js)
    const kept = load && person ? recall(listKey(load)) : null;
    startQueue();
    if (kept) { queue.setClock(kept.now, kept.here); showKept(kept); } else { showLoads(); }
    queue.show();
    window.setInterval(lookForServer, LIST_MS);
    window.addEventListener("online", lookForServer);
  }

  function startQueue() {
    queue = window.strandlineQueue({
      key: "strandline.loading." + page.dataset.plant, one: "piece is", many: "pieces are", shell: Boolean(page.dataset.shell),
      person: function () { return person || { id: "", name: "" }; },
      box: at("load-queue"), refused: at("load-refused"), onShow: mark, onSent: refresh, onAnswer: function () {}
    });
    document.addEventListener("submit", onSubmit, true);
  }

  function openPage() {
    person = { id: page.dataset.person, name: page.dataset.name };
    load = page.dataset.load;
    startQueue();
    setClock();
    keepList();
    document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.target.id === "load-list") { setClock(); keepList(); queue.show(); } });
    if (navigator.serviceWorker) { navigator.serviceWorker.register(page.dataset.worker); }
    queue.start();
  }

  document.addEventListener("DOMContentLoaded", function () {
    page = at("loading");
    if (!page) { return; }
    if (page.dataset.shell) { openShell(); } else { openPage(); }
  });
})();
