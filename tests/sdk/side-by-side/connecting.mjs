// Constructors, credentials, starting and stopping.
import { ALL_ROLES } from "../../support/hub.mjs";
import { deferred } from "../../support/waiting.mjs";

/** @type {import("./scenarios.mjs").Scenario[]} */
export const connecting = [
  {
    name: "a start, an event and a stop",
    async run(side) {
      await side.connect();
      side.client.stop();
      await side.event("stopped");
    },
  },
  {
    name: "an anonymous user",
    async run(side) {
      await side.connect(side.hub.clientUrl());
    },
  },
  {
    name: "a credential with a URL",
    async run(side) {
      await side.connect({ getClientAccessUrl: side.hub.clientUrl({ user: "bob" }) });
    },
  },
  {
    name: "a credential with a function",
    async run(side) {
      const url = side.hub.clientUrl({ user: "bob" });
      await side.connect({
        getClientAccessUrl: async (options) => (side.note("asked with", Object.keys(options ?? {})), url),
      });
    },
  },
  {
    name: "a credential that fails",
    async run(side) {
      side.make({ getClientAccessUrl: () => Promise.reject(new TypeError("no URL to give")) });
      await side.call("start");
      await side.call("start");
    },
  },
  {
    name: "a credential that throws",
    async run(side) {
      side.make({
        getClientAccessUrl() {
          throw new RangeError("thrown");
        },
      });
      await side.call("start");
    },
  },
  ...[42, null, undefined, {}].map((value) => ({
    name: `a credential that gives ${JSON.stringify(value) ?? "nothing"}`,
    async run(side) {
      side.make({ getClientAccessUrl: async () => value });
      await side.call("start");
    },
  })),
  {
    name: "a start while it starts",
    async run(side) {
      const url = side.hub.clientUrl();
      const gate = deferred();
      side.make({ getClientAccessUrl: () => gate.promise });
      const first = side.call("start");
      await side.call("start");
      gate.resolve(url);
      await first;
      await side.event("connected");
      await side.call("start");
    },
  },
  {
    name: "a start while it stops, and after",
    async run(side) {
      await side.connect();
      side.client.stop();
      await side.call("start");
      await side.event("stopped");
      await side.call("start");
      await side.event("connected");
    },
  },
  {
    name: "a stop before a start",
    async run(side) {
      side.make();
      side.client.stop();
      await side.call("start");
      await side.event("connected");
    },
  },
  {
    name: "stops one after another",
    async run(side) {
      await side.connect();
      side.client.stop();
      side.client.stop();
      await side.event("stopped");
      side.client.stop();
    },
  },
  {
    name: "a start that was aborted before",
    async run(side) {
      const given = [];
      side.make({
        async getClientAccessUrl({ abortSignal }) {
          given.push(abortSignal.aborted);
          throw abortSignal.reason;
        },
      });
      await side.call("start", { abortSignal: AbortSignal.abort(new Error("given up")) });
      side.note("credential", given);
    },
    differs: "A start whose signal is aborted already does not ask the credential.",
  },
  {
    name: "a start that its signal ends",
    async run(side) {
      const controller = new AbortController();
      side.make({
        getClientAccessUrl: ({ abortSignal }) =>
          new Promise((_, reject) => {
            abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
            setImmediate(() => controller.abort(new Error("given up")));
          }),
      });
      await side.call("start", { abortSignal: controller.signal });
    },
  },
  ...["keepAliveIntervalInMs", "keepAliveTimeoutInMs"].map((option) => ({
    name: `a negative ${option}`,
    async run(side) {
      side.make(side.hub.clientUrl(), { [option]: -1 });
    },
  })),
  {
    name: "retry options that are missing or negative",
    async run(side) {
      const messageRetryOptions = { maxRetries: -1, retryDelayInMs: -1, maxRetryDelayInMs: undefined };
      await side.connect(undefined, { messageRetryOptions, reconnectRetryOptions: {} });
      await side.call("joinGroup", "room");
    },
  },
  {
    name: "options that the application keeps",
    differs: "left as they are",
    async run(side) {
      const options = {};
      side.attempt("new", () => new side.exported.WebPubSubClient(side.hub.clientUrl(), options));
      side.note("options", Object.keys(options));
    },
  },
  {
    name: "a listener that is taken off",
    async run(side) {
      side.make();
      const received = (event) => side.note("received", event.userId);
      side.client.on("connected", received);
      side.client.on("connected", received);
      side.client.off("connected", received);
      await side.call("start");
      await side.event("connected");
    },
  },
  {
    name: "groups in the token",
    async run(side) {
      await side.connect(side.hub.clientUrl({ groups: ["lobby"] }));
      await side.server.group("lobby").sendToAll({ hello: 1 });
      await side.event("group-message");
    },
  },
  {
    name: "another start has another URL",
    async run(side) {
      const urls = ["one", "two"].map((user) => side.hub.clientUrl({ user, roles: ALL_ROLES }));
      await side.connect({ getClientAccessUrl: async () => urls.shift() });
      side.client.stop();
      await side.event("stopped");
      await side.call("start");
      await side.event("connected");
    },
  },
];
