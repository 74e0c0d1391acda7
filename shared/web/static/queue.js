// Touches of a page where the radio has holes: each is kept in the browser with its command id, sent in order when the line
// is back, once only (the server knows the id), and the page says what has not been sent. One queue for every such page.
//
// One's own go out whoever else's wait; one that the server fails on while others get through is set aside and may be tried again.
//
// strandlineQueue({key, person(), one, many, shell, box, refused, onShow, onSent, onAnswer}):
//   key      where the browser keeps it; the same key on two pages is the same queue
//   person   () -> {id, name} of who is signed in; only who did a touch can send it
//   one, many  "job is", "jobs are": what is counted
//   shell    true on a page that was opened without a server: it keeps touches and sends none
//   box, refused  elements that say what waits and what was not booked
//   onShow(items), onAnswer(item, answer), onSent()  what the page does besides
// add({about, number, path, body}) -> false where the browser keeps nothing; now() is the server's clock carried on here.
window.strandlineQueue = function (page) {
  "use strict";

  const RETRY_MS = 3000, ANSWER_MS = 15000, FAILURES_MOST = 3;
  let sending = false, lostAt = page.shell ? new Date() : null, signedOut = false, full = false, turn = 0, clock = { server: 0, here: 0 };
  const failures = new Map(); // command id -> how often the server failed on it (5xx)

  function read() {
    try { return JSON.parse(localStorage.getItem(page.key)) || []; } catch (error) { return []; }
  }

  // false where the browser keeps nothing: private windows, a full store
  function write(items) {
    try { localStorage.setItem(page.key, JSON.stringify(items)); return true; } catch (error) { return false; }
  }

  // carried on by the time since the server's clock was read: a tablet's own may be wrong, but goes on while it sleeps
  function now() { return Math.round(clock.server + Date.now() - clock.here); }

  function setClock(server, here) { clock = { server: Number(server), here: here || Date.now() }; }

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

  function add(touch) {
    const items = read(), who = page.person();
    const body = Object.assign({ command_id: newId(), occurred_at: now() }, touch.body);
    items.push({ about: touch.about, number: touch.number, path: touch.path, person: who.id, name: who.name, body: body, refused: "" });
    if (!write(items)) { return false; }
    show();
    send();
    return true;
  }

  function waiting() { return read().filter(function (item) { return !item.refused; }); }

  function isOwn(item) { return item.person === page.person().id; }
  function ownWaiting() { return waiting().filter(isOwn); }

  function count(items) {
    const numbers = items.map(function (item) { return item.number; }).join(", ");
    return items.length + " " + (items.length === 1 ? page.one : page.many) + " done here and not yet sent: " + numbers + ". ";
  }

  function why() {
    if (full) { return "This browser's store is full, so what the server answers cannot be kept: press Seen on what was refused, or free its store. They are tried again by themselves."; }
    if (signedOut) { return "You are signed out: sign in again on this tablet and open this page; they go out then."; }
    if (!lostAt) { return "Being sent."; }
    return "No contact since " + lostAt.toTimeString().slice(0, 5) + ". They are kept on this tablet and go out by themselves.";
  }

  // what is one's own first, then each other person's
  function words(items) {
    const own = items.filter(isOwn), said = own.length ? [count(own) + why()] : [], others = new Map();
    items.filter(function (item) { return !isOwn(item); }).forEach(function (item) { others.set(item.person, (others.get(item.person) || []).concat(item)); });
    others.forEach(function (theirs) { said.push(count(theirs) + theirs[0].name + " did them: only " + theirs[0].name + ", signed in here, can send them."); });
    return said.join(" ");
  }

  function show() {
    const items = waiting();
    page.box.hidden = !items.length;
    page.box.className = "note " + (lostAt || signedOut || full || !items.every(isOwn) ? "note-attention" : "note-done");
    page.box.textContent = items.length ? words(items) : "";
    page.onShow(read());
    showRefused();
  }

  function showRefused() {
    page.refused.replaceChildren();
    read().filter(function (item) { return item.refused; }).forEach(function (item) {
      const note = element("div", "note note-alarm", ""), seen = element("button", "push", "Seen");
      note.append(element("div", "", item.number + " was not booked. " + item.refused));
      if (item.again) { note.append(tryAgainButton(item)); }
      note.append(seen);
      seen.addEventListener("click", function () {
        write(read().filter(function (other) { return other.body.command_id !== item.body.command_id; }));
        show();
        page.onSent();
      });
      page.refused.append(note);
    });
  }

  function tryAgainButton(item) {
    const button = element("button", "push", "Try again");
    button.addEventListener("click", function () {
      failures.delete(item.body.command_id);
      settle(item, { refused: "", again: false });
      show();
      send();
    });
    return button;
  }

  // a picture is most of what is kept: it goes before the word that its touch was refused is lost
  function writeWithoutPhoto(items, item) {
    if (!item.body.photo) { return false; }
    delete item.body.photo;
    item.refused += " Its picture was dropped: this browser's store is full.";
    return write(items);
  }

  // what became of an item, null: it is booked; false where the browser cannot keep that: the item then waits as before
  function settle(item, change) {
    const items = read();
    const at = items.findIndex(function (other) { return other.body.command_id === item.body.command_id; });
    if (at < 0) { return true; }
    if (change) { Object.assign(items[at], change); } else { items.splice(at, 1); }
    full = !write(items) && !(change && change.refused && writeWithoutPhoto(items, items[at]));
    return !full;
  }

  async function post(item) {
    return fetch(item.path, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(item.body), signal: AbortSignal.timeout(ANSWER_MS),
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content }
    });
  }

  // "through": booked or refused, go on with the next one; "failed": a 5xx, of this one or of all; "stop": later
  async function sendOne(item) {
    let answer, told = {};
    try { answer = await post(item); } catch (error) { lostAt = lostAt || new Date(); return "stop"; }
    lostAt = answer.status === 429 || answer.status >= 500 ? lostAt || new Date() : null;
    try { told = await answer.json(); } catch (error) { told = {}; }
    if (answer.ok) {
      signedOut = false;
      if (!settle(item, null)) { return "stop"; }
      page.onAnswer(item, told);
      return "through";
    }
    signedOut = answer.status === 401 || told.code === "web.csrf";
    if (signedOut || answer.status === 429) { return "stop"; }
    if (answer.status >= 500) {
      failures.set(item.body.command_id, (failures.get(item.body.command_id) || 0) + 1);
      return "failed";
    }
    const refused = [told.detail, told.todo].filter(Boolean).join(" ") || "The server answered " + answer.status + ".";
    return settle(item, { refused: refused }) ? "through" : "stop";
  }

  // Is it this touch or the server? Another one is sent, each time the next in turn; where it gets through and this one fails
  // once more, this one is set aside. A server that was away is back then, and takes this one.
  async function setAside(item) {
    const others = ownWaiting().slice(1);
    if (failures.get(item.body.command_id) < FAILURES_MOST || !others.length) { return "stop"; }
    const other = others[turn % others.length];
    turn += 1;
    if (await sendOne(other) !== "through") { return "stop"; }
    const how = await sendOne(item);
    if (how !== "failed") { return how; }
    lostAt = null;
    const refused = "The server fails on it again and again, while others get through. Try again later, or book it at a desk.";
    return settle(item, { refused: refused, again: true }) ? "through" : "stop";
  }

  async function send() {
    if (sending || page.shell) { return; }
    sending = true;
    let sent = 0;
    try {
      for (let item = ownWaiting()[0]; item; item = ownWaiting()[0]) {
        let how = await sendOne(item);
        if (how === "failed") { how = await setAside(item); }
        show();
        if (how !== "through") { break; }
        sent += 1;
      }
    } finally { sending = false; }
    if (sent) { page.onSent(); }
  }

  function start() {
    window.addEventListener("online", send);
    window.addEventListener("storage", show);
    window.setInterval(send, RETRY_MS);
    show();
    send();
  }

  return { add: add, read: read, show: show, send: send, now: now, setClock: setClock, start: start, element: element };
};
