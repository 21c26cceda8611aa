// partyserver as its README shows it, hibernating: a room passes on what it is sent.
import { Server, routePartykitRequest } from "partyserver";

export class Room extends Server {
  static options = { hibernate: true };

  onMessage(_, message) {
    this.broadcast(message);
  }

  async onRequest(request) {
    this.broadcast(await request.text());
    return new Response(null, { status: 202 });
  }
}

export default {
  fetch: async (request, env) => (await routePartykitRequest(request, env)) ?? new Response(null, { status: 404 }),
};
