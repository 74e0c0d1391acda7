// Touches of a page where the radio has holes: each is kept in the browser with its command id, sent in order when the line
// is back, once only (the server knows the id), and the page says what has not been sent. One queue for every such page.
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

  const RETRY_MS = 3000, ANSWER_MS = 15000;
  let sending = false, lostAt = page.shell ? new Date() : null, signedOut = false, clock = { server: 0, here: 0 };

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

  function words(items) {
    const others = items.filter(function (item) { return item.person !== page.person().id; });
    const count = items.length + " " + (items.length === 1 ? page.one : page.many) + " done here and not yet sent: ";
    const numbers = items.map(function (item) { return item.number; }).join(", ") + ". ";
    if (others.length) { return count + numbers + others[0].name + " did them: only " + others[0].name + ", signed in here, can send them."; }
    if (signedOut) { return count + numbers + "You are signed out: sign in again on this tablet and open this page; they go out then."; }
    if (!lostAt) { return count + numbers + "Being sent."; }
    return count + numbers + "No contact since " + lostAt.toTimeString().slice(0, 5) + ". They are kept on this tablet and go out by themselves.";
  }

  function show() {
    const items = waiting();
    page.box.hidden = !items.length;
    page.box.className = "note " + (lostAt || signedOut ? "note-attention" : "note-done");
    page.box.textContent = items.length ? words(items) : "";
    page.onShow(read());
    showRefused();
  }

  function showRefused() {
    page.refused.replaceChildren();
    read().filter(function (item) { return item.refused; }).forEach(function (item) {
      const note = element("div", "note note-alarm", ""), seen = element("button", "push", "Seen");
      note.append(element("div", "", item.number + " was not booked. " + item.refused), seen);
      seen.addEventListener("click", function () {
        write(read().filter(function (other) { return other.body.command_id !== item.body.command_id; }));
        show();
        page.onSent();
      });
      page.refused.append(note);
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
    let answer, told = {};
    try { answer = await post(item); } catch (error) { lostAt = lostAt || new Date(); return false; }
    lostAt = null;
    try { told = await answer.json(); } catch (error) { told = {}; }
    if (answer.ok) { signedOut = false; settle(item, ""); page.onAnswer(item, told); return true; }
    signedOut = answer.status === 401 || told.code === "web.csrf";
    if (signedOut) { return false; }
    if (answer.status === 429 || answer.status >= 500) { lostAt = new Date(); return false; }
    settle(item, [told.detail, told.todo].filter(Boolean).join(" ") || "The server answered " + answer.status + ".");
    return true;
  }

  async function send() {
    if (sending || page.shell) { return; }
    sending = true;
    let sent = 0;
    try {
      for (let item = waiting()[0]; item && item.person === page.person().id; item = waiting()[0]) {
        const on = await sendOne(item);
        show();
        if (!on) { break; }
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
