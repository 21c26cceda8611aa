// The app: where it is, who uses it, and what is on the screen.
import { render } from "lit-html";
import { Access } from "../access/access.js";
import { keepFocus } from "../parts/focus.js";
import { frame } from "./frame.js";
import { routeOf } from "./pages.js";
import { Progress } from "./progress.js";
import { Theme } from "./theme.js";

export class App {
  access = new Access(() => this.#accessChanged());
  progress = new Progress(() => this.update());
  theme = new Theme(() => this.update());
  /** The entry of `pages` that is shown, and what follows its name in the address. */
  route;
  /** The page that is shown; none until it is known who uses it. */
  page;
  #root;
  #made = new Map();
  #isScheduled = false;

  constructor(root) {
    this.#root = root;
    // What is drawn is compared with what was drawn last, and not with what a control shows. So what a person changed is
    // drawn before anything else can change it, however late the browser's next frame is.
    for (const type of ["input", "change", "click"]) root.addEventListener(type, () => this.#draw());
  }

  async start() {
    addEventListener("hashchange", () => this.#go());
    this.route = routeOf(location.hash);
    this.update();
    await this.access.begin();
    this.#go({ isFirst: true });
  }

  /** Draws what has changed, once a frame however often it is called. */
  update = () => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const draw = () => this.#isScheduled && this.#draw();
    // Nothing is drawn in a tab that is not looked at: what waits there must not wait for a frame.
    if (document.visibilityState === "hidden") setTimeout(draw, 100);
    else requestAnimationFrame(draw);
  };

  #draw() {
    this.#isScheduled = false;
    keepFocus(() => render(frame(this), this.#root));
  }

  /** Goes to a page: its path, and what may follow it. */
  open(...path) {
    location.hash = `#/${path.map(encodeURIComponent).join("/")}`;
  }

  /** The page with this path, made if it was not open yet. */
  pageAt(path) {
    const { entry } = routeOf(`#/${path}`);
    if (!this.#made.has(entry)) this.#made.set(entry, new entry.Page(this));
    return this.#made.get(entry);
  }

  #go({ isFirst = false } = {}) {
    this.page?.leave?.();
    this.route = routeOf(location.hash);
    const { entry, rest } = this.route;
    document.title = `${entry.title} · Web PubSub Edge`;
    this.page = this.pageAt(entry.path);
    this.page.enter?.(...rest);
    this.update();
    requestAnimationFrame(() => {
      centerCurrentLink();
      if (!isFirst) document.getElementById("page-title")?.focus();
    });
  }

  #accessChanged() {
    if (this.access.isSignedIn) this.progress.reach("signed-in");
    this.page?.enter?.(...this.route.rest);
    this.update();
  }
}

/**
 * Scrolls the navigation, where it is one line, to the page that is shown. Not by `scrollIntoView`, after which Chromium's
 * next Tab goes to what follows the link, past the way to skip the navigation.
 */
function centerCurrentLink() {
  const [line, link] = [document.querySelector("nav ul"), document.querySelector("nav [aria-current]")];
  if (!line || !link) return;
  const [its, whole] = [link.getBoundingClientRect(), line.getBoundingClientRect()];
  line.scrollLeft += its.left + its.width / 2 - (whole.left + whole.width / 2);
}
