// The client's package, which the build makes, as far as commands use it.
declare module "@webpubsub-edge/client" {
  interface Received {
    group?: string;
    fromUserId?: string;
    dataType: string;
    data: unknown;
  }
  export class WebPubSubClient {
    constructor(credential: { getClientAccessUrl: () => string });
    on(event: "connected", listener: (event: { connectionId: string }) => void): void;
    on(event: "disconnected", listener: (event: { message?: { message?: string } }) => void): void;
    on(event: "stopped", listener: () => void): void;
    on(event: "group-message" | "server-message", listener: (event: { message: Received }) => void): void;
    start(): Promise<void>;
    stop(): void;
  }
}
