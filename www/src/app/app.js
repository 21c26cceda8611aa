// The app: where it is, who uses it, and what is on the screen.
import { render } from "lit-html";
import { Access } from "../access/access.js";
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
  /** The page that is shown; none while it is being loaded. */
  page;
  /** Why the page could not be loaded. */
  failure = "";
  #root;
  #made = new Map();
  #isScheduled = false;

  constructor(root) {
    this.#root = root;
  }

  async start() {
    addEventListener("hashchange", () => void this.#go());
    this.route = routeOf(location.hash);
    this.update();
    await this.access.begin();
    this.route = routeOf(location.hash);
    await this.#go({ isFirst: true });
  }

  /** Draws what has changed, once a frame however often it is called. */
  update = () => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const draw = () => {
      this.#isScheduled = false;
      render(frame(this), this.#root);
    };
    // Nothing is drawn in a tab that is not looked at: what waits there must not wait for a frame.
    if (document.visibilityState === "hidden") setTimeout(draw, 100);
    else requestAnimationFrame(draw);
  };

  /** Goes to a page: its path, and what may follow it. */
  open(...path) {
    location.hash = `#/${path.map(encodeURIComponent).join("/")}`;
  }

  /** The page with this path, made if it was not open yet. */
  async pageAt(path) {
    const { entry } = routeOf(`#/${path}`);
    if (!this.#made.has(entry)) {
      const Page = await entry.load();
      if (!this.#made.has(entry)) this.#made.set(entry, new Page(this));
    }
    return this.#made.get(entry);
  }

  async #go({ isFirst = false } = {}) {
    const route = routeOf(location.hash);
    this.page?.leave?.();
    this.page = undefined;
    this.failure = "";
    this.route = route;
    document.title = `${route.entry.title} · Web PubSub Edge`;
    this.update();
    try {
      const page = await this.pageAt(route.entry.path);
      // Another page may have been asked for meanwhile.
      if (this.route !== route) return;
      this.page = page;
      page.enter?.(...route.rest);
    } catch (error) {
      if (this.route === route) this.failure = `This part of the page could not be loaded. ${error.message}`;
    }
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
