// The zone field begins with the browser's zone, unless another one was chosen already, and tells
// the time there; a field says of itself what a live answer found in it.
(function () {
  var field = document.getElementById("zone");
  var time = function (zone) {
    return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date());
  };
  var told = null;
  var tell = function () {
    if (told) told.text = told.dataset.name || told.value;
    told = field.options[field.selectedIndex];
    told.dataset.name = told.text;
    try { told.text = told.value + ", " + field.dataset.now + " " + time(told.value); } catch (error) { /* the name alone */ }
  };
  var choose = function () {
    var zone = "";
    if (field.value !== field.dataset.home || "chosen" in field.dataset) return;
    try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch (error) { return; }
    if (!zone || zone === field.value) return;
    if (!Array.prototype.some.call(field.options, function (o) { return o.value === zone; })) {
      field.add(new Option(zone, zone), 0);
    }
    field.value = zone;
    tell();
    // what the page says about this zone is asked for when everything is there to hear it
    addEventListener("load", function () { field.dispatchEvent(new Event("change")); });
  };
  if (field && field.dataset.home) {
    told = field.options[field.selectedIndex];
    told.dataset.name = told.value;
    choose();
    field.addEventListener("change", function () { if (told !== field.options[field.selectedIndex]) tell(); });
  }

  var answered = function () {
    ["words", "people", "without", "email"].forEach(function (name) {
      var one = document.getElementById(name);
      if (!one) return;
      var fault = document.getElementById(name + "-fault");
      var ids = [fault, document.getElementById(name + "-hint")].filter(Boolean).map(function (e) { return e.id; });
      if (fault) one.setAttribute("aria-invalid", "true"); else one.removeAttribute("aria-invalid");
      if (ids.length) one.setAttribute("aria-describedby", ids.join(" ")); else one.removeAttribute("aria-describedby");
    });
  };
  var failed = function (event) {
    var note = event.target.closest("[data-fails]"), place = event.detail.target;
    if (!note || !place) return;
    place.textContent = note.dataset.fails;
    if (document.getElementById("told")) document.getElementById("told").textContent = note.dataset.fails;
  };
  document.addEventListener("htmx:afterSwap", answered);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
})();
