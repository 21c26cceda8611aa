// `npm run compatibility`: writes COMPATIBILITY.md out of the rows in `tests/compatibility`.
//
// `npm test` checks that it is up to date, and that every row's tests are there and passed.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { areas, packages } from "../tests/compatibility/features.mjs";
import { documentOf, versionsOf } from "./compatibility/document.mjs";
import { notPassed, notThere } from "./compatibility/tests.mjs";
import { at } from "./paths.mjs";
import { Problem, main, say } from "./terminal.mjs";
import { recorded } from "./test/record.mjs";

const file = at("COMPATIBILITY.md");
const COMMAND = "npm run compatibility";

const rows = areas.flatMap((area) => area.rows);

function checkNames() {
  const wrong = rows.flatMap(notThere);
  if (wrong.length > 0) throw new Problem(`COMPATIBILITY.md: ${wrong.length} tests or vectors are named that are not there. Mend tests/compatibility.\n${wrong.join("\n")}`);
}

const wanted = () => documentOf(areas, versionsOf(packages));

/** Fails if a row names a test that is not there, or that did not pass in one of the steps that ran, or the document is another. */
export function checkCompatibility({ ran }) {
  checkNames();
  if (ran.length > 0) {
    const passed = recorded(ran);
    const wrong = rows.flatMap((row) => notPassed(row, passed));
    if (wrong.length > 0) throw new Problem(`COMPATIBILITY.md: ${wrong.length} tests that it names did not pass.\n${wrong.join("\n")}`);
  }
  if (readFileSync(file, "utf8") !== wanted()) throw new Problem(`COMPATIBILITY.md is not what tests/compatibility says. Write it anew: ${COMMAND}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    checkNames();
    writeFileSync(file, wanted());
    say(`COMPATIBILITY.md: ${rows.length} features. Whether their tests pass is for npm test to say.`);
  });
}
