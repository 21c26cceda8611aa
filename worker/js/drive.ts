/** What a task of Rust's returns: a promise to wait for, or its value. */
type Next = unknown;

/**
 * Calls `resume` with what comes of a promise (and whether that is an error), and again with what comes of
 * each promise that it returns. Resolves with the first value that is none.
 */
export async function drive(next: Next, resume: (value: unknown, failed: boolean) => Next): Promise<unknown> {
  while (next instanceof Promise) {
    let value: unknown;
    let failed = false;
    try {
      value = await next;
    } catch (error) {
      value = error;
      failed = true;
    }
    try {
      next = resume(value, failed);
    } catch (error) {
      // The entry makes objects anew after the module has trapped, if that is reported.
      if (error instanceof WebAssembly.RuntimeError) reportError(error);
      throw error;
    }
  }
  return next;
}
