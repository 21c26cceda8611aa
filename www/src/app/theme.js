// Light or dark: as the system has it, or as it was chosen here.

const REMEMBERED = "webpubsub-edge.theme";

export class Theme {
  choices = [
    ["system", "System's theme"],
    ["light", "Light"],
    ["dark", "Dark"],
  ];
  chosen;
  #update;

  constructor(update) {
    this.#update = update;
    const kept = localStorage.getItem(REMEMBERED);
    this.chosen = this.choices.some(([value]) => value === kept) ? kept : "system";
    this.#show();
  }

  choose(value) {
    this.chosen = value;
    if (value === "system") localStorage.removeItem(REMEMBERED);
    else localStorage.setItem(REMEMBERED, value);
    this.#show();
    this.#update();
  }

  #show() {
    if (this.chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.chosen;
  }
}
