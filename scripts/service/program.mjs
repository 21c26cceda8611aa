// The program that runs the service.
import { realpathSync } from "node:fs";

/** The workerd program itself, not the script around it: it is what a signal has to reach. */
export async function workerd() {
  const { default: exported } = await import("workerd");
  return realpathSync(exported.default);
}
