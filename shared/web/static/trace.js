// The trace graph, and the click on the strip that leads to the same place. Without this file SVG and tables stay.
(function () {
  "use strict";

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function lines(node) { return String(node.data("label")).split("\n"); }
  function boxWidth(node) { return 22 + 7.6 * Math.max.apply(null, lines(node).map(function (line) { return line.length; })); }
  function boxHeight(node) { return 16 + 16 * lines(node).length; }

  function styles() {
    const ink = colour("--ink"), line = colour("--line-strong"), card = colour("--sunk");
    return [
      { selector: "node", style: { "shape": "round-rectangle", "width": boxWidth, "height": boxHeight, "label": "data(label)", "text-wrap": "wrap", "text-valign": "center", "font-size": 13, "color": ink, "background-color": card, "border-width": 1, "border-color": line } },
      { selector: "node.heat", style: { "shape": "ellipse" } },
      { selector: "node.held", style: { "border-width": 3, "border-color": colour("--held") } },
      { selector: "node.chosen", style: { "border-width": 3, "border-color": colour("--accent"), "background-color": colour("--accent-soft") } },
      { selector: "edge", style: { "width": 1.4, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "bezier", "label": "data(label)", "font-size": 11, "color": colour("--quiet"), "text-background-color": colour("--card"), "text-background-opacity": 1, "text-background-padding": 2 } }
    ];
  }

  async function drawGraph(box) {
    if (!window.cytoscape || !window.cytoscapeDagre) { box.textContent = "The graph library is not installed here; the tables say the same."; return; }
    const answer = await fetch(box.dataset.src, { credentials: "same-origin" });
    if (!answer.ok) { box.textContent = "The graph could not be read just now; the tables say the same."; return; }
    window.cytoscape.use(window.cytoscapeDagre);
    const graph = window.cytoscape({
      container: box, elements: await answer.json(), style: styles(), minZoom: 0.15, maxZoom: 2.5,
      layout: { name: "dagre", rankDir: "TB", nodeSep: 18, rankSep: 46, fit: true, padding: 14 }
    });
    if (graph.zoom() > 1.1) { graph.zoom(1.1); graph.center(); }
    graph.on("tap", "node", function (event) {
      const href = event.target.data("href");
      if (href) { window.location.assign(href); }
    });
    box.dataset.drawn = graph.nodes().length;
  }

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
    const box = document.getElementById("graph");
    if (box) { drawGraph(box); }
    const strip = document.querySelector("svg.strip");
    if (strip) { strip.addEventListener("click", jump); }
  });
})();
