/** A client for whom `clientUrl` makes a URL. */
export interface ClientRequest {
  hub: string;
  /** Who connects. An anonymous client has none. */
  user?: string;
  /** What it may do, such as `webpubsub.sendToGroup`. */
  roles?: string[];
  /** The groups that it is a member of from the beginning. */
  groups?: string[];
  /** How long the URL is good for; 60. */
  minutes?: number;
}

export interface EmulatorOptions {
  /** Where it listens for http; any free port. */
  port?: number;
  /** Whether it serves https, too, with a certificate that the file `authority` vouches for. */
  https?: boolean;
  /** The settings of hubs, by their names, as Azure's resource model has them. */
  hubs?: Record<string, object>;
  /** Variables of the service, by their names. */
  variables?: Record<string, string | number>;
  /** How many Durable Objects a hub is spread over; 1. */
  shards?: number;
  /** Receives what the service prints, as it comes. */
  onOutput?: (text: string) => void;
}

/** A running service. */
export interface Emulator extends AsyncDisposable {
  /** Its URL by http, such as `http://localhost:41234`. */
  endpoint: string;
  /** Its URL by https, if it serves that. */
  secureEndpoint?: string;
  /** The file of the certificate authority that clients by https have to trust. */
  authority?: string;
  accessKey: string;
  /** For Microsoft's SDKs, by http. */
  connectionString: string;
  /** The same by https, if it serves that. */
  secureConnectionString?: string;
  /** Makes a client access URL. */
  clientUrl(client: ClientRequest): string;
  /** Ends the service and removes what it kept. */
  stop(): Promise<void>;
}

/** Starts the service at a free port, with a state and a key of its own, which are gone with it. */
export function startEmulator(options?: EmulatorOptions): Promise<Emulator>;
