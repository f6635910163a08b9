// Parts of the desk that refresh themselves: nobody is asked while nobody looks, nothing is taken away under a
// finger, what was opened stays open, and the page says since when its figures are old. What answers while one
// types says when it did not.
(function () {
  var PATIENCE_MS = 10000;
  var loaded = Date.now(), heard = {}, silent = {}, opened = [];
  var MOVES = '[data-hx-trigger^="every"]';
  var part = function (event) {
    var asks = event.detail.requestConfig ? event.detail.requestConfig.elt : event.detail.elt;
    return asks && asks.matches(MOVES) ? asks : null;
  };

  var tell = function () {
    var note = document.getElementById("stale"), since = Object.keys(silent).map(function (id) { return heard[id] || loaded; });
    if (!note) return;
    if (!since.length) { if (note.firstChild) note.replaceChildren(); return; }
    if (note.firstChild) return; // said once
    var words = document.getElementById("stale-words").content.cloneNode(true);
    words.querySelector("time").textContent = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: note.dataset.zone
    }).format(Math.min.apply(null, since));
    note.replaceChildren(words);
  };
  var failed = function (event) {
    var asked = part(event), typing = event.detail.requestConfig.elt;
    if (asked) {
      silent[asked.id] = true;
      tell();
    } else if (typing.dataset.fails && !typing.querySelector(".unheard")) {
      var note = document.createElement("p");
      note.className = "fault unheard";
      note.setAttribute("role", "alert");
      note.textContent = typing.dataset.fails;
      typing.prepend(note);
    }
  };

  document.addEventListener("htmx:configRequest", function (event) {
    if (!part(event)) return;
    event.detail.timeout = PATIENCE_MS;
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) return;
    document.querySelectorAll(MOVES).forEach(function (one) {
      htmx.ajax("GET", one.getAttribute("data-hx-get"), { source: one, target: one, swap: "outerHTML" });
    });
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var asked = part(event);
    if (!asked || event.detail.isError) return;
    heard[asked.id] = Date.now();
    delete silent[asked.id];
    tell();
    if (asked.querySelector(":active")) event.detail.shouldSwap = false;
    opened = Array.prototype.map.call(asked.querySelectorAll("details[open][id]"), function (e) { return e.id; });
  });
  document.addEventListener("htmx:afterSwap", function () {
    opened.splice(0).forEach(function (id) {
      var one = document.getElementById(id);
      if (one) one.open = true;
    });
  });
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);
})();
