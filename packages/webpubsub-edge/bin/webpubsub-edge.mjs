#!/usr/bin/env node
// `webpubsub-edge`: the command line, on a Node that is new enough for it.

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 12)) {
  await import(new URL("../dist/cli.mjs", import.meta.url).href);
} else {
  console.error(
    `webpubsub-edge needs Node 22.12 or newer and this is ${process.versions.node}. Get it from https://nodejs.org.`,
  );
  process.exitCode = 1;
}
