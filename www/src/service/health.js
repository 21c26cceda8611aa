// Whether the service says that it is well, and how fast.
import { request } from "./request.js";

/** @returns {Promise<{ isHealthy: boolean, words: string }>} */
export async function health() {
  try {
    const { status, durationMs } = await request("HEAD", "/api/health", { anyStatus: true });
    return status === 200
      ? { isHealthy: true, words: `Healthy, answers in ${Math.max(1, Math.round(durationMs))} ms` }
      : { isHealthy: false, words: `Answers ${status}` };
  } catch (error) {
    return { isHealthy: false, words: error.message };
  }
}
