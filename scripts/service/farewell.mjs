// The last request to a service that is about to be stopped: its clients are to go, and come back later.
import { request } from "node:http";
import { bracketed, requestToken } from "../access.mjs";
import { reachable } from "./ready.mjs";

const PATH = "/management/sockets/:close";
/** However many hubs there are: the service ends within seconds. */
const LIMIT_MS = 5_000;

/**
 * Has the service close every socket with 1001. Resolves when it has, when it cannot be asked, and when
 * it takes too long; with what went wrong, if anything did.
 */
export function closeSockets({ host, port }, key) {
  const authority = `${bracketed(reachable(host))}:${port}`;
  const headers = { Host: authority, Authorization: `Bearer ${requestToken({ path: PATH }, { url: `http://${authority}`, key })}` };
  return new Promise((resolve) => {
    const asked = request({ method: "POST", host: reachable(host), port, path: PATH, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 204 ? undefined : `it answered ${response.statusCode}`);
    });
    const timer = setTimeout(() => asked.destroy(new Error(`not done within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    asked.on("error", (error) => resolve(error.message)).on("close", () => clearTimeout(timer)).end();
  });
}
