// A Worker that gives clients their URLs, and answers their events.
import { eventHandler, negotiate, refuse } from "@webpubsub-edge/client/server";
import { Hono } from "hono";

interface Bindings {
  WEBPUBSUB_CONNECTION_STRING: string;
}

const HUB = "guess";
const HIGHEST = 100;

const draw = () => 1 + Math.floor(Math.random() * HIGHEST);

const makeHandlers = (connectionString: string) => ({
  // Anyone may play, without a name: see the other examples for one.
  urls: negotiate({ connectionString, hub: HUB, client: () => ({}) }),

  // The next event may find another Worker, so nothing is kept here. What belongs to a connection is its state: the
  // service keeps it, sends it with each event, and shows it to no client.
  events: eventHandler({
    connectionString,
    hub: HUB,
    handleConnect: ({ setState }) => {
      setState("number", draw());
      setState("tries", 0);
    },
    handleUserEvent: ({ data, dataType, states, setState }) => {
      const guess: unknown = dataType === "json" ? data?.guess : undefined;
      if (!Number.isInteger(guess)) return refuse(400, "Send a guess, such as { guess: 50 }.");
      const tries = states.tries + 1;
      const hint = hintFor(guess as number, states.number);
      if (hint === "right") setState("number", draw());
      setState("tries", hint === "right" ? 0 : tries);
      return { guess, hint, tries };
    },
  }),
});

function hintFor(guess: number, number: number): "higher" | "lower" | "right" {
  if (guess === number) return "right";
  return guess < number ? "higher" : "lower";
}

// They are made once for a Worker, with the first request: the connection string is a secret that comes with it.
let handlers: ReturnType<typeof makeHandlers> | undefined;
const handlersFor = ({ WEBPUBSUB_CONNECTION_STRING }: Bindings) =>
  (handlers ??= makeHandlers(WEBPUBSUB_CONNECTION_STRING));

const app = new Hono<{ Bindings: Bindings }>();
app.all("/negotiate", ({ env, req }) => handlersFor(env).urls(req.raw));
// Events that are not signed by the service are refused.
app.all(`/api/webpubsub/hubs/${HUB}/*`, ({ env, req }) => handlersFor(env).events(req.raw));

export default app;
