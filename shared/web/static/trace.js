// The click on the strip that leads to the same place. Without this file the form below the strip does it.
(function () {
  "use strict";

  function jump(event) {
    const bar = event.target.closest("[data-bar]");
    if (!bar || event.target.closest("a")) { return; }
    const svg = bar.ownerSVGElement, point = svg.createSVGPoint();
    point.x = event.clientX; point.y = event.clientY;
    const spot = point.matrixTransform(svg.getScreenCTM().inverse());
    const along = (spot.x - 4) / 992, across = (spot.y - Number(bar.dataset.y)) / Number(bar.dataset.h);
    if (along < 0 || along > 1 || across < 0 || across > 1) { return; }
    const place = new URLSearchParams({ at_mm: Math.round(along * bar.dataset.length / 1000), left_mm: Math.round(across * bar.dataset.width / 1000) });
    window.location.assign("/trace/" + encodeURIComponent(bar.dataset.number) + "?" + place);
  }

  document.addEventListener("DOMContentLoaded", function () {
    const strip = document.querySelector("svg.strip");
    if (strip) { strip.addEventListener("click", jump); }
  });
})();
