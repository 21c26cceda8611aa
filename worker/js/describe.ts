/** What was thrown, in words for the log. */
export function describe(error: unknown): string {
  return String(error);
}
