// What a service keeps on disk is its user's alone: folders 700, files 600.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";

/**
 * Makes a folder that only its owner may enter. One that was there is closed to others, too, if it is `ours`.
 * @param {string} path
 * @param {{ ours?: boolean }} [options]
 */
export function privateFolder(path, { ours = true } = {}) {
  const made = !existsSync(path);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (made || ours) chmodSync(path, 0o700);
  return path;
}

/**
 * Writes a file that only its owner may read: all of it, or none.
 * @param {string} path
 * @param {string} content
 */
export function writePrivate(path, content) {
  const staged = `${path}.${process.pid}`;
  writeFileSync(staged, content, { mode: 0o600 });
  chmodSync(staged, 0o600);
  renameSync(staged, path);
}

/**
 * Does `work` so that all that it makes, and all that the programs make that it starts, is its user's alone.
 * @template T
 * @param {() => T | Promise<T>} work
 */
export async function privately(work) {
  const before = process.umask(0o077);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}
