import { useWebPubSub, type WebPubSubConnection } from "@webpubsub-edge/client/react";
import { useState } from "react";
import { Room } from "./room.js";

const ROOMS = ["kitchen", "garden"] as const;

const WORDS: Record<WebPubSubConnection["status"], string> = {
  connecting: "Connecting…",
  connected: "Connected",
  recovering: "Reconnecting…",
  stopped: "Not connected",
};

/** One connection, which ends with this component, and the room that is open. */
export function Rooms({ name, onLeave }: { name: string; onLeave(): void }) {
  const connection = useWebPubSub(() => clientUrl(name), { key: name });
  const [room, setRoom] = useState<string>(ROOMS[0]);
  return (
    <>
      <header>
        <h1>Rooms</h1>
        <p role="status">
          {WORDS[connection.status]}
          {connection.userId && ` as ${connection.userId}`}
        </p>
      </header>
      <main>
        <div className="bar">
          <label htmlFor="room">Room</label>
          <select id="room" value={room} onChange={(event) => setRoom(event.target.value)}>
            {ROOMS.map((room) => (
              <option key={room}>{room}</option>
            ))}
          </select>
          <button type="button" onClick={onLeave}>
            Leave
          </button>
        </div>
        {connection.error && (
          <p className="problem" role="alert">
            {connection.error.message}{" "}
            <button type="button" onClick={connection.restart}>
              Try again
            </button>
          </p>
        )}
        <Room key={room} connection={connection} room={room} />
      </main>
    </>
  );
}

/** A URL with a token in it, good for an hour. It is asked for again for each new connection. */
async function clientUrl(name: string): Promise<string> {
  const response = await fetch(`/negotiate?${new URLSearchParams({ name })}`);
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const { url }: { url: string } = await response.json();
  return url;
}
