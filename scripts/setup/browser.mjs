// A Chromium and its driver, for the browser tests.
import { chromedriver, chromium } from "../toolchain.mjs";
import { Problem } from "../terminal.mjs";
import * as apt from "./apt.mjs";

/** @import { Progress } from "../terminal.mjs" */

const DEBIAN_PACKAGES = ["chromium", "chromium-driver"];

export const browser = {
  name: "Chromium and chromedriver",

  isThere: () => chromium() !== undefined && chromedriver() !== undefined,

  /** @param {Progress} at */
  async install(at) {
    if (apt.canInstall() && (await apt.offers(DEBIAN_PACKAGES, at))) return apt.install(DEBIAN_PACKAGES, at);
    const how = apt.hasApt()
      ? `Run: ${apt.command(DEBIAN_PACKAGES)}`
      : "Install both (on macOS: brew install --cask google-chrome chromedriver).";
    throw new Problem(
      `Chromium and the chromedriver of its version are needed for the browser tests. ${how}\n` +
        "Where they are not in PATH, name them with CHROMIUM and CHROMEDRIVER.",
    );
  },
};
