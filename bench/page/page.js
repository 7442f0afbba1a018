"use strict";
// Tables are whole without this: it lets them be sorted and filtered.
for (const table of document.querySelectorAll("table[data-filters]")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = (row, column) => row.cells[column].textContent;

  function sortBy(column) {
    const up = heads[column].getAttribute("aria-sort") !== "ascending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    const numeric = rows.some((row) => row.cells[column].dataset.v !== undefined);
    const key = (row) => (numeric ? Number(row.cells[column].dataset.v) : text(row, column));
    const empty = (x) => x === "" || Number.isNaN(x);
    const keyed = rows.map((row) => [key(row), row]);
    keyed.sort(([a], [b]) => {
      if (empty(a) || empty(b)) return empty(a) - empty(b); // what has no value is last, whichever way
      const order = numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
      return up ? order : -order;
    });
    body.append(...keyed.map(([, row]) => row));
  }
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(column));
    head.append(button);
  });

  const names = JSON.parse(table.dataset.filters);
  const start = JSON.parse(table.dataset.start);
  if (rows.length < 8 || !names.length) continue;
  const bar = document.createElement("div");
  bar.className = "filters";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", `filters: ${table.caption.textContent}`);
  const labelled = (name, control) => {
    const label = document.createElement("label");
    label.append(name, control);
    bar.append(label);
    control.addEventListener("input", show);
    return control;
  };
  const columns = names.map((name) => heads.findIndex((head) => head.textContent === name));
  const selects = names.map((name, n) => {
    const values = [...new Set(rows.map((row) => text(row, columns[n])))];
    const select = labelled(name, document.createElement("select"));
    select.append(new Option("all", "all"), ...values.map((value) => new Option(value, `=${value}`)));
    select.value = name in start ? `=${start[name]}` : "all";
    return select;
  });
  const search = labelled("text", document.createElement("input"));
  search.type = "search";
  search.placeholder = "all words";
  const told = document.createElement("output");
  bar.append(told);

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const whole = words.length ? row.textContent.toLowerCase() : "";
      const fits = (select, n) => select.value === "all" || select.value === `=${text(row, columns[n])}`;
      row.hidden = !(selects.every(fits) && words.every((word) => whole.includes(word)));
      shown += !row.hidden;
    }
    told.textContent = `${shown} of ${rows.length} rows`;
  }
  show();
  table.parentElement.before(bar);
}
