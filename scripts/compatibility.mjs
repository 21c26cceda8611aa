// `npm run compatibility`: writes COMPATIBILITY.md out of the rows in `tests/compatibility`.
//
// `npm test` checks that it is up to date, and that every row's tests are there and passed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { areas, packages } from "../tests/compatibility/features.mjs";
import { parse } from "./command.mjs";
import { documentOf, versionsOf } from "./compatibility/document.mjs";
import { notPassed, notThere } from "./compatibility/tests.mjs";
import { at } from "./paths.mjs";
import { Problem, main, say } from "./terminal.mjs";
import { recorded } from "./test/record.mjs";

const file = at("COMPATIBILITY.md");
/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run compatibility",
  about:
    "Writes COMPATIBILITY.md out of tests/compatibility; npm test checks that it is up to date and that its tests passed.",
  flags: {},
  examples: [["npm run compatibility", "after a change in tests/compatibility"]],
};

/** A run that broke off early leaves out hundreds. */
const SHOWN = 20;

const rows = areas.flatMap((area) => area.rows);

/**
 * @param {string[]} wrong
 * @param {string} what
 */
function demandNone(wrong, what) {
  if (wrong.length === 0) return;
  const more = wrong.length > SHOWN ? [`  … and ${wrong.length - SHOWN} more`] : [];
  throw new Problem([`COMPATIBILITY.md: ${wrong.length} tests ${what}`, ...wrong.slice(0, SHOWN), ...more].join("\n"));
}

const checkNames = () =>
  demandNone(rows.flatMap(notThere), "or cases are named that are not there. Mend tests/compatibility.");

const wanted = () => documentOf(areas, versionsOf(packages));

/**
 * Fails if a row names a test that is not there, or that did not pass in one of the steps that ran, or the document is
 * another.
 * @param {{ ran: string[] }} options
 */
export function checkCompatibility({ ran }) {
  checkNames();
  if (ran.length > 0) {
    const passed = recorded(ran);
    demandNone(
      rows.flatMap((row) => notPassed(row, passed)),
      "that are named did not pass.",
    );
  }
  const there = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (there !== wanted())
    throw new Problem(`COMPATIBILITY.md is not what tests/compatibility says. Write it anew: ${command.name}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    parse(process.argv.slice(2), command);
    checkNames();
    writeFileSync(file, wanted());
    say(`COMPATIBILITY.md: ${rows.length} features. Whether their tests pass is for npm test to say.`);
  });
}
