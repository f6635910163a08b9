// Chooses the browser's time zone, unless another one was chosen already.
(function () {
  var field = document.getElementById("zone");
  if (!field || field.value !== field.dataset.home) return;
  var zone = "";
  try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch (error) { return; }
  if (!zone || zone === field.value) return;
  var option = Array.prototype.find.call(field.options, function (o) { return o.value === zone; });
  if (!option) {
    option = new Option(zone, zone);
    field.add(option, 0);
  }
  var time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  option.text = zone + ", " + field.dataset.now + " " + time.format(new Date());
  field.value = zone;
  // what the page says about this zone is asked for when everything is there to hear it
  addEventListener("load", function () { field.dispatchEvent(new Event("change")); });
})();
