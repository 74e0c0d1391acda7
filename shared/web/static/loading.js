// Loading at the gate's tablet: what puts a piece on, takes it off or lets the load leave goes through the queue (queue.js), with
// or without a line. A departure tells what this tablet sees on the vehicle, so that none is booked with other pieces.
// Without this file the forms stay. Where no server answers, the worker opens an empty shell of the page; what it shows is the
// list that this browser kept when the page was last open, until a person signs out here (strandline.js).
(function () {
  "use strict";

  const AWAY = [502, 503, 504], LIST_MS = 5000, ANSWER_MS = 8000, LISTS_MAX = 20, LIST_AGE_MAX_MS = 7 * 86400000;
  let page, queue, person = null, load = "", kept = null, answered = new Map(); // number -> kind of touch, until the list is read again

  function at(id) { return document.getElementById(id); }
  function lead() { return "strandline.loading." + page.dataset.plant + "."; }
  function listKey(number) { return lead() + number + ".list"; }

  function onSubmit(event) {
    const form = event.target.closest("form[data-queue]");
    if (!form) { return; }
    const kind = form.dataset.kind || "load", field = form.querySelector('[name="piece"]');
    const number = kind === "leave" ? "Departure of " + load : field.value.trim(), about = kind + " " + load + " " + number;
    if (page.dataset.shell) { event.preventDefault(); }
    if (!number) { return; }
    const body = kind === "leave" ? { pieces: onIt() } : { piece: number }, vehicle = at("f-vehicle");
    if (kind === "load" && vehicle && vehicle.value) { body.vehicle = vehicle.value; }
    const known = (lastTouch(number) || {}).about === about;
    if (!known && !(person && queue.add({ about: about, number: number, path: form.dataset.queue, body: body }))) { if (page.dataset.shell) { say("This browser keeps nothing more: it was not noted."); } return; } // a form goes its usual way
    event.preventDefault();
    if (field && field.type !== "hidden") { field.value = ""; field.focus(); }
  }

  // where a server answers, what somebody else did here and has not sent binds nobody: queue.js says whose it is. Without one, the
  // tablet knows nothing better than what was done on it
  function binds(item) { return page.dataset.shell || item.person === person.id; }

  // the touches of this load that wait, oldest first; and the last one at a piece
  function touches() {
    return queue.read().filter(function (item) { return !item.refused && binds(item) && item.about.startsWith(kindOf(item) + " " + load + " "); });
  }
  function kindOf(item) { return item.about.split(" ", 1)[0]; }
  function lastTouch(number) { return touches().filter(function (item) { return item.number === number; }).pop(); }

  // numbers of what the list says lies on the load; and with this tablet's touches since
  function listed() {
    if (kept) { return kept.on; }
    return Array.from(page.querySelectorAll('form[data-kind="off"] [name="piece"]')).map(function (field) { return field.value; });
  }
  function onIt() {
    const found = new Set(listed());
    const change = function (kind, number) { if (kind === "load") { found.add(number); } else if (kind === "off") { found.delete(number); } };
    answered.forEach(change);
    touches().forEach(function (item) { change(kindOf(item), item.number); });
    return Array.from(found);
  }

  function onAnswer(item, told) {
    if (kindOf(item) !== "leave") { answered.set(told.number || item.number, kindOf(item)); return; }
    try { localStorage.removeItem(lead() + told.number + ".list"); } catch (error) { /* it is old in some days */ }
    const form = document.querySelector('form[data-kind="leave"][data-page]');
    if (form && told.number === load) { window.location.assign(form.dataset.page); }
  }

  function mark(items) {
    items.filter(binds).forEach(function (item) {
      const form = page.querySelector('[data-about="' + CSS.escape(item.about) + '"]');
      if (!form) { return; }
      const button = form.querySelector("button"), state = button.querySelector(".piece-state");
      button.disabled = true;
      if (!state) { return; }
      button.classList.toggle("queued", !item.refused);
      state.textContent = item.refused ? "Refused, see above" : "Loaded here, not yet sent";
    });
    if (kept) { showOn(); }
    const left = touches().some(function (item) { return kindOf(item) === "leave"; });
    document.querySelectorAll("form[data-queue] button").forEach(function (button) {
      if (left ? button.disabled : !button.dataset.left) { return; }
      button.disabled = left;
      button.dataset.left = left ? "yes" : "";
    });
  }

  function showOn() {
    const numbers = onIt();
    at("load-on-title").textContent = "On it: " + numbers.length + (numbers.length === 1 ? " piece" : " pieces");
    at("load-on").replaceChildren(...numbers.map(function (number) {
      const item = document.createElement("li"), form = hiddenForm("off", number);
      form.append(queue.element("b", "code", number + " "), queue.element("button", "", "Take off"));
      item.append(form);
      return item;
    }));
  }

  function setClock() {
    const list = page.querySelector("[data-now]");
    if (list) { queue.setClock(list.dataset.now); }
  }

  function refresh() { if (window.htmx && !page.dataset.shell) { window.htmx.ajax("GET", page.dataset.list, "#load-list"); } }

  // what the shell needs of this page: no form, no token, only what is written on the tiles
  function keepList() {
    const pieces = Array.from(page.querySelectorAll('form[data-about]:not([data-kind])')).map(function (form) {
      const words = Array.from(form.querySelectorAll("button > *")).map(function (part) { return part.textContent; });
      return { number: form.querySelector('[name="piece"]').value, words: words };
    });
    const vehicles = Array.from(document.querySelectorAll("#f-vehicle option")).map(function (one) { return one.value; }).filter(Boolean);
    const now = page.querySelector("[data-now]");
    const list = { title: page.dataset.title, pieces: pieces, on: listed(), vehicles: vehicles, now: now && now.dataset.now, here: Date.now() };
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
    const item = document.createElement("li"), form = hiddenForm("load", piece.number);
    const button = queue.element("button", "piece-tap", "");
    piece.words.forEach(function (word, place) {
      button.append(queue.element(place ? "span" : "b", place === piece.words.length - 1 ? "quiet piece-state" : "code", word));
    });
    form.append(button);
    item.append(form);
    return item;
  }

  function hiddenForm(kind, number) {
    const form = document.createElement("form"), field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "piece", value: number });
    Object.assign(form.dataset, { kind: kind, queue: path(kind), about: kind + " " + load + " " + number });
    form.append(field);
    return form;
  }

  function path(kind) { return page.dataset[kind === "load" ? "piece" : kind].replace("LOAD", encodeURIComponent(load)); }

  function showKept() {
    at("load-title").textContent = kept.title;
    at("load-scan").hidden = false;
    at("load-scan").dataset.queue = path("load");
    at("load-leaves").hidden = false;
    at("load-leaves").querySelector("form").dataset.queue = path("leave");
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
    kept = load && person ? recall(listKey(load)) : null;
    if (kept) { kept.on = kept.on || []; }
    startQueue();
    if (kept) { queue.setClock(kept.now, kept.here); showKept(); } else { showLoads(); }
    queue.show();
    window.setInterval(lookForServer, LIST_MS);
    window.addEventListener("online", lookForServer);
  }

  function startQueue() {
    queue = window.strandlineQueue({
      key: "strandline.loading." + page.dataset.plant, one: "touch is", many: "touches are", shell: Boolean(page.dataset.shell),
      person: function () { return person || { id: "", name: "" }; },
      box: at("load-queue"), refused: at("load-refused"), onShow: mark, onSent: refresh, onAnswer: onAnswer
    });
    document.addEventListener("submit", onSubmit, true);
  }

  function openPage() {
    person = { id: page.dataset.person, name: page.dataset.name };
    load = page.dataset.load;
    startQueue();
    setClock();
    keepList();
    document.addEventListener("htmx:afterSwap", function (event) { if (event.detail.target.id === "load-list") { answered.clear(); setClock(); keepList(); queue.show(); } });
    if (navigator.serviceWorker) { navigator.serviceWorker.register(page.dataset.worker); }
    queue.start();
  }

  document.addEventListener("DOMContentLoaded", function () {
    page = at("loading");
    if (!page) { return; }
    if (page.dataset.shell) { openShell(); } else { openPage(); }
  });
})();
