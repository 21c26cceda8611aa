// A button that copies a text: `<copy-button .text=${…} label="Copy the URL">`.

/** How long it says that it has copied, in milliseconds; what went wrong stays. */
const SAID_MS = 2000;

class CopyButton extends HTMLElement {
  /** A text, or a function that gives one when the button is pressed. @type {string | (() => string | Promise<string>)} */
  text = "";
  #button = document.createElement("button");
  #status = document.createElement("span");
  #timer;

  connectedCallback() {
    if (this.#button.isConnected) return;
    this.#button.type = "button";
    this.#button.className = "small";
    this.#button.textContent = this.getAttribute("label") ?? "Copy";
    const what = this.getAttribute("what");
    if (what) this.#button.setAttribute("aria-label", `Copy ${what}`);
    this.#button.addEventListener("click", () => void this.#copy());
    this.#status.className = "note";
    this.#status.setAttribute("role", "status");
    this.append(this.#button, this.#status);
  }

  async #copy() {
    clearTimeout(this.#timer);
    this.#status.textContent = await this.#outcome();
  }

  /** Copies, and says how that went. */
  async #outcome() {
    let text = this.text;
    try {
      if (typeof text === "function") text = await text();
    } catch (error) {
      return error.message;
    }
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return "This browser does not let the page copy. Select the text instead.";
    }
    this.#timer = setTimeout(() => (this.#status.textContent = ""), SAID_MS);
    return "Copied.";
  }
}

customElements.define("copy-button", CopyButton);
