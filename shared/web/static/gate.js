// The gate's tablet: pieces are tapped or scanned and taken in through the queue (queue.js), with or without a line. What the
// browser keeps of the list is the list and who was signed in; both go at sign-out (strandline.js), touches not yet sent stay.
(function () {
  "use strict";

  const LIST_MS = 15000, ANSWER_MS = 8000, EDGE = 1280, PHOTO_AIM = 300000, DONE_SHOWN = 5, AWAY = [502, 503, 504];
  let page, queue, dialog, form, list = null, heardAt = 0, openedAt = 0, person = null, chosen = null, act = "";

  function at(id) { return document.getElementById(id); }
  function listKey() { return "strandline.gate." + page.dataset.plant + ".list"; }
  function kg(grams) { return Math.round(grams / 1000).toLocaleString("en"); }
  function make(tag, name, text) { return queue.element(tag, name, text); }

  function when(ms) {
    const how = { timeZone: list.zone, weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false };
    return new Intl.DateTimeFormat("en-GB", how).format(new Date(ms));
  }

  // ---- what is kept of the list, so that the page works where no server answers
  function keepList() {
    try { localStorage.setItem(listKey(), JSON.stringify({ list: list, here: heardAt })); } catch (error) { /* then it is not kept */ }
  }

  function recallList() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(listKey())); } catch (error) { kept = null; }
    if (!kept) { return; }
    list = kept.list;
    heardAt = kept.here;
    try { person = person || JSON.parse(localStorage.getItem("strandline.person")); } catch (error) { person = null; } // strandline.js
    queue.setClock(list.now_ms, heardAt);
  }

  async function fetchList() {
    let answer;
    try { answer = await fetch(page.dataset.list, { credentials: "same-origin", signal: AbortSignal.timeout(ANSWER_MS) }); } catch (error) { showLine(); return; }
    const gone = AWAY.includes(answer.status); // a proxy answers for a server that is away: opening the page would bring the shell again
    if (page.dataset.shell && !gone) { if (!dialog.open) { location.reload(); } return; }
    if (!answer.ok) { showLine(); return; }
    list = await answer.json();
    heardAt = Date.now();
    queue.setClock(list.now_ms, heardAt);
    keepList();
    show();
    showLine();
  }

  function showLine() {
    const box = at("gate-line"), old = Date.now() - (heardAt || openedAt) > 2 * LIST_MS; // a page that has just come has a server
    box.hidden = !page.dataset.shell && !old;
    box.className = "note note-attention";
    const since = heardAt ? " The list is of " + new Date(heardAt).toTimeString().slice(0, 5) + "." : " No list is kept on this tablet: type the number.";
    const who = person ? " Go on as " + person.name + ": what you do is kept here and sent when the line is back." : " Nobody was signed in here: sign in when the line is back.";
    box.textContent = box.hidden ? "" : "No contact with this server." + since + who;
  }

  // ---- the list
  function show() {
    const box = at("gate-loads");
    box.replaceChildren();
    if (!list) { return; }
    at("f-place").placeholder = list.place;
    list.loads.forEach(function (load) { box.append(loadBox(load)); });
    if (!list.loads.length) { box.append(make("p", "empty", "Nothing is announced. Scan or type the number of a piece that came.")); }
    at("gate-asof").textContent = "List of " + when(list.now_ms) + ".";
    mark(queue.read());
  }

  function loadBox(load) {
    const box = make("section", "gate-load", ""), head = make("div", "gate-head", ""), pieces = make("ul", "tiles", "");
    const link = make("a", "code", load.number);
    link.href = page.dataset.load + "/" + encodeURIComponent(load.number);
    const title = make("h2", "", "");
    title.append(link);
    head.append(title, make("span", "", load.pieces.length + " to come from " + load.sender + ", " + load.vehicle), make("span", "quiet", "expected " + when(load.eta_ms)));
    if (load.arrived_ms) { head.append(make("span", "badge badge-done push", "At the gate")); } else { head.append(arriveButton(load)); }
    load.pieces.forEach(function (piece) {
      const item = make("li", "", "");
      item.append(pieceButton(load, piece));
      pieces.append(item);
    });
    box.append(head, pieces);
    return box;
  }

  function arriveButton(load) {
    const button = make("button", "push", "It is at the gate");
    button.dataset.about = "arrived " + load.number;
    button.addEventListener("click", function () {
      keep({ about: button.dataset.about, number: load.number, path: page.dataset.arrive, body: { shipment: load.number } });
    });
    return button;
  }

  function pieceButton(load, piece) {
    const button = make("button", "piece-tap", "");
    button.dataset.about = aboutOf(load.number, piece.number);
    button.append(make("b", "code", piece.number), make("span", "", (piece.position || "no position") + " · " + kg(piece.mass_g) + " kg " + piece.basis), make("span", "quiet piece-state", [piece.grade, piece.quality === "held" ? "held by " + load.sender : ""].filter(Boolean).join(" · ")));
    button.addEventListener("click", function () { open(load, piece, piece.number); });
    return button;
  }

  function aboutOf(load, piece) { return "piece " + load + " " + piece; }

  function mark(items) {
    items.forEach(function (item) {
      const button = page.querySelector('[data-about="' + CSS.escape(item.about) + '"]');
      if (!button) { return; }
      button.disabled = true;
      button.classList.toggle("queued", !item.refused);
      const state = button.querySelector(".piece-state");
      if (state) { state.textContent = item.refused ? "Refused, see above" : "Done here, not yet sent"; }
    });
  }

  // ---- one piece
  function find(number) {
    const wanted = number.toLowerCase();
    for (const load of list ? list.loads : []) {
      const piece = load.pieces.find(function (one) { return one.numbers.some(function (value) { return value.toLowerCase() === wanted; }); });
      if (piece) { return [load, piece]; }
    }
    return [null, null];
  }

  function open(load, piece, number) {
    chosen = { load: load, piece: piece, number: number };
    form.reset();
    at("gate-title").textContent = "Take in " + number;
    at("gate-about").textContent = piece
      ? piece.kind + " " + piece.grade + ", order " + (piece.order_item || "none") + ", " + kg(piece.mass_g) + " kg " + piece.basis + " as " + load.sender + " says"
      : "No list has it. It is taken in and waits for its sender's data: it may be moved, not charged.";
    at("gate-held").hidden = !(piece && piece.quality === "held");
    at("gate-held").querySelector("span").textContent = piece ? load.sender + " holds this piece. It will be held here too." : "";
    at("gate-unweighed").hidden = !piece;
    at("gate-refuse").closest("details").hidden = !piece;
    at("f-place").value = list ? list.place : "";
    showRoutes(piece);
    wrong("");
    dialog.showModal();
    at("f-mass_kg").focus();
  }

  function showRoutes(piece) {
    const field = at("f-route"), none = new Option(piece && piece.route ? piece.route + ", by rule" : "by rule", "");
    field.replaceChildren(none);
    (list ? list.routes : []).forEach(function (route) { field.append(new Option(route, route)); });
    field.closest(".field").hidden = !piece || !list.routes.length;
  }

  function wrong(text) { at("gate-wrong").textContent = text; at("gate-wrong").hidden = !text; }
  function typed(name) { return at("f-" + name).value.trim(); }

  async function onPiece(event) {
    act = event.submitter ? event.submitter.value : "take";
    if (act === "back") { return; }
    event.preventDefault();
    let touch = null;
    try { touch = act === "refuse" ? refusal() : await receipt(); } catch (error) { wrong(error.message); return; }
    if (keep(touch)) { dialog.close(); at("f-scan").value = ""; at("f-scan").focus(); }
  }

  function refusal() {
    if (!typed("reason")) { throw new Error("Say why it is refused."); }
    const body = { shipment: chosen.load.number, piece: chosen.number, note: typed("reason") };
    return { about: aboutOf(chosen.load.number, chosen.piece.number), number: chosen.number, path: page.dataset.refuse, body: body };
  }

  async function receipt() {
    const mass = act === "unweighed" ? 0 : Number(typed("mass_kg")), piece = chosen.piece;
    if (act !== "unweighed" && !(Number.isInteger(mass) && mass >= 1 && mass <= 400000)) { throw new Error("The mass is missing: 1 to 400,000 kg, whole."); }
    if (!typed("place")) { throw new Error("The place is missing: where it is put."); }
    const body = { piece: chosen.number, mass_g: mass * 1000, place: typed("place") };
    if (piece) { body.shipment = chosen.load.number; body.custody_no = piece.custody_no; body.position = piece.position; }
    ["damage", "own_number", "route"].forEach(function (name) { if (typed(name)) { body[name] = typed(name); } });
    const file = at("f-photo").files[0];
    if (file) { body.photo = await shrink(file); }
    return { about: aboutOf(piece ? chosen.load.number : "", piece ? piece.number : chosen.number), number: chosen.number, path: page.dataset.receive, body: body };
  }

  // a camera's picture of several megabytes becomes one of at most a few hundred kB, as base64
  async function shrink(file) {
    let bitmap;
    try { bitmap = await createImageBitmap(file); } catch (error) { throw new Error("This file is no picture."); }
    const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height)), canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    let blob = null;
    for (const quality of [0.8, 0.6, 0.4]) {
      blob = await new Promise(function (done) { canvas.toBlob(done, "image/jpeg", quality); });
      if (blob.size <= PHOTO_AIM) { break; }
    }
    if (blob.size > Number(page.dataset.photoMax)) { throw new Error("The picture stays too large: take it from further away."); }
    return new Promise(function (done) {
      const reader = new FileReader();
      reader.onload = function () { done(reader.result.split(",")[1]); };
      reader.readAsDataURL(blob);
    });
  }

  function keep(touch) {
    if (!person) { wrong("Nobody is signed in: the touch cannot be kept."); return false; }
    if (queue.read().some(function (item) { return item.about === touch.about && !item.refused; })) { wrong(touch.number + " is done here already and waits to be sent."); return false; }
    if (queue.add(touch)) { return true; }
    wrong("This browser keeps nothing more: " + touch.number + " was not booked. Leave out the picture, or go where there is a line.");
    return false;
  }

  function onAnswer(item, told) {
    const line = make("li", "", item.number + (told.own_number ? " is here as " : " is told. ")), number = make("a", "code", told.own_number || "");
    if (told.own_number) {
      number.href = page.dataset.receipts + "/" + encodeURIComponent(told.receipt_id);
      const more = told.provisional ? ". It waits for its sender's data." : told.flagged ? ". The masses differ: weigh it again." : told.route ? ", route " + told.route + "." : ".";
      line.append(number, document.createTextNode(more));
    }
    at("gate-done").prepend(line);
    while (at("gate-done").children.length > DONE_SHOWN) { at("gate-done").lastChild.remove(); }
  }

  // a scanner is a keyboard that ends in Enter: what it types anywhere on the page goes to the number's field
  function onKey(event) {
    const inField = event.target.closest("input, textarea, select, button:enabled, a, summary");
    if (inField || dialog.open || event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === "/") { return; }
    at("f-scan").focus();
  }

  document.addEventListener("DOMContentLoaded", function () {
    page = at("gate");
    if (!page) { return; }
    dialog = at("gate-piece");
    form = at("gate-form");
    if (page.dataset.person) { person = { id: page.dataset.person, name: page.dataset.name }; }
    queue = window.strandlineQueue({
      key: "strandline.gate." + page.dataset.plant, one: "touch is", many: "touches are",
      person: function () { return person || { id: "", name: "" }; }, shell: Boolean(page.dataset.shell),
      box: at("gate-queue"), refused: at("gate-refused"), onShow: mark, onSent: fetchList, onAnswer: onAnswer
    });
    recallList();
    at("gate-scan").addEventListener("submit", function (event) {
      event.preventDefault();
      const number = typed("scan");
      if (number.startsWith("SLP1:") && page.dataset.passport) { // a passport: its own page reads it
        window.location.assign(page.dataset.passport + "?passport=" + encodeURIComponent(number));
        return;
      }
      if (number) { const found = find(number); open(found[0], found[1], number); }
    });
    form.addEventListener("submit", onPiece);
    document.addEventListener("keydown", onKey);
    if (navigator.serviceWorker) { navigator.serviceWorker.register(page.dataset.worker); }
    openedAt = Date.now();
    show();
    showLine();
    queue.start();
    fetchList();
    window.setInterval(fetchList, LIST_MS);
    window.addEventListener("online", fetchList);
  });
})();
