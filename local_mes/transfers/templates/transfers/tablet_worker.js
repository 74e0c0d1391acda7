// Opens a tablet's page (gate, loading) where no server answers: an empty shell of it, which knows no person and no piece, and
// the files that it is made of. No other page is ever kept, and none with a person in it; what the page itself keeps stands in
// gate.js and loading.js.
"use strict";
const ASSETS = {{ assets | tojson }}, NAME = {{ name | tojson }}, PAGE = new RegExp({{ page | tojson }}), SHELL = {{ shell | tojson }};
const KEPT = NAME + " " + ASSETS[0], ANSWER_MS = 6000;

self.addEventListener("install", function (event) {
  const shell = new Request(SHELL, { credentials: "omit", cache: "no-store" });
  event.waitUntil(caches.open(KEPT).then(function (kept) { return kept.addAll(ASSETS.concat(shell)); }).then(function () { return self.skipWaiting(); }));
});

self.addEventListener("activate", function (event) {
  event.waitUntil(caches.keys().then(function (names) {
    return Promise.all(names.filter(function (name) { return name.startsWith(NAME + " ") && name !== KEPT; }).map(function (name) { return caches.delete(name); }));
  }).then(function () { return self.clients.claim(); }));
});

function late() {
  return new Promise(function (_, refuse) { setTimeout(function () { refuse(new Error("no answer")); }, ANSWER_MS); });
}

// a proxy before a server that is gone answers for it: that is no line either
async function page(request) {
  try {
    const answer = await Promise.race([fetch(request), late()]);
    if (![502, 503, 504].includes(answer.status)) { return answer; }
  } catch (error) { /* no line: the shell below */ }
  return (await caches.match(SHELL)) || Response.error();
}

self.addEventListener("fetch", function (event) {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) { return; }
  if (event.request.mode === "navigate" && PAGE.test(address.pathname)) { event.respondWith(page(event.request)); return; }
  if (ASSETS.includes(address.pathname + address.search)) {
    event.respondWith(caches.match(event.request).then(function (kept) { return kept || fetch(event.request); }));
  }
});
