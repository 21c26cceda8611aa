/** Whether anybody answers at a WebSocket's address. The URL's query, and the token in it, stays here. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    const { origin, pathname } = new URL(url.replace(/^ws/i, "http"));
    await fetch(origin + pathname, { mode: "no-cors", cache: "no-store", signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}
