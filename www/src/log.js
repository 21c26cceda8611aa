// The list of what arrived, the newest on top. Payloads only ever become text nodes.

/** How many rows are kept. */
export const MAX_ROWS = 500;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

export class Log {
  #list;
  #onChange;

  /** `onChange(rows)` is called with how many rows there are. */
  constructor(list, onChange) {
    this.#list = list;
    this.#onChange = onChange;
  }

  /**
   * Adds a row.
   *
   * @param {{ origin: "server" | "group" | "note", group?: string, user?: string, dataType?: string, data: string }} row
   */
  add({ origin, group, user, dataType, data }) {
    const item = element("li", "row");
    item.dataset.origin = origin;
    const time = element("time", "when", clock.format(new Date()));
    time.dateTime = new Date().toISOString();
    item.append(time, element("span", "origin", origin));
    if (group !== undefined) item.append(labelled("group", "in group", group));
    if (user) item.append(labelled("user", "from", user));
    if (dataType) item.append(element("span", "type", dataType));
    item.append(element(origin === "note" ? "p" : "pre", "data", data));
    this.#list.prepend(item);
    while (this.#list.childElementCount > MAX_ROWS) this.#list.lastElementChild.remove();
    this.#onChange(this.#list.childElementCount);
  }

  clear() {
    this.#list.replaceChildren();
    this.#onChange(0);
  }
}

/** An element with a class and a text. */
export function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function labelled(className, label, text) {
  const outer = element("span", className);
  outer.append(element("span", "quiet", `${label} `), element("b", "", text));
  return outer;
}
