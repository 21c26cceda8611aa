// `@webpubsub-edge/client/react`: hooks that tie a connection and its groups to the life of components.
import { useCallback, useEffect, useRef, useState } from "react";
import { WebPubSubClient } from "@webpubsub-edge/client";
import type {
  GroupDataMessage,
  JSONTypes,
  SendToGroupOptions,
  WebPubSubClientCredential,
  WebPubSubClientOptions,
  WebPubSubDataType,
  WebPubSubResult,
} from "./models.js";

/** Where a connection stands. */
export type ConnectionStatus =
  /** It is being opened for the first time, or anew after one that was lost for good. */
  | "connecting"
  | "connected"
  /** Its link is lost, and the client tries to get it back without losing a message. */
  | "recovering"
  /** The client does not try any more: see `error`, and `restart`. */
  | "stopped";

/** A connection, as a component sees it. */
export interface WebPubSubConnection {
  /** The client; none before the component is mounted, and none while it renders on a server. */
  client?: WebPubSubClient;
  status: ConnectionStatus;
  /** The connection's id, while there is one. */
  connectionId?: string;
  userId?: string;
  /** Why the client could not start. */
  error?: Error;
  /** Stops the client, and starts another. */
  restart(): void;
}

export interface UseWebPubSubOptions extends WebPubSubClientOptions {
  /** What the connection belongs to, such as a user's id: another one restarts the client. */
  key?: string | number;
}

type State = Omit<WebPubSubConnection, "restart">;

const BEGINNING: State = { status: "connecting" };

/** The clients that have been connected: they join their groups again by themselves. */
const connectedOnce = new WeakSet<WebPubSubClient>();

/**
 * Starts a client when the component is mounted, and stops it when it is unmounted. It is started anew for another URL or
 * `key`, or by `restart`; a function that gives URLs may be another at each rendering: the newest is called. Options count
 * as they are when the client starts.
 */
export function useWebPubSub(
  credential: string | (() => string | Promise<string>) | WebPubSubClientCredential,
  { key, ...options }: UseWebPubSubOptions = {},
): WebPubSubConnection {
  const newest = useRef({ credential, options });
  newest.current = { credential, options };
  const url = typeof credential === "string" ? credential : undefined;
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState(BEGINNING);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the newest credential and options are read when they are needed
  useEffect(() => {
    const getClientAccessUrl: WebPubSubClientCredential["getClientAccessUrl"] = async (asked) => {
      const { credential } = newest.current;
      if (typeof credential === "string") return credential;
      const given = typeof credential === "function" ? credential : credential.getClientAccessUrl;
      return typeof given === "string" ? given : given(asked);
    };
    const client = new WebPubSubClient({ getClientAccessUrl }, newest.current.options);
    let mounted = true;
    const change = (changed: Partial<State>) => {
      if (mounted) setState((state) => ({ ...state, ...changed }));
    };
    setState({ ...BEGINNING, client });
    client.on("connected", ({ connectionId, userId }) => {
      connectedOnce.add(client);
      change({ status: "connected", connectionId, userId, error: undefined });
    });
    client.on("recovering", () => change({ status: "recovering" }));
    client.on("recovered", () => change({ status: "connected" }));
    client.on("disconnected", () => change({ status: "connecting", connectionId: undefined, userId: undefined }));
    client.on("stopped", () => change({ status: "stopped" }));
    client.start().catch((error: Error) => change({ status: "stopped", error }));
    return () => {
      mounted = false;
      client.stop();
    };
  }, [url, key, attempt]);

  const restart = useCallback(() => setAttempt((attempt) => attempt + 1), []);
  return { ...state, restart };
}

/** A group, as a component sees it. */
export interface GroupMembership {
  /** Whether the connection has joined. It stays so while a lost one is made anew, unless joining again fails. */
  isJoined: boolean;
  /** Why it could not join, at first or on a new connection. */
  error?: Error;
  /** Sends to the group. Rejects where there is no client yet. */
  send(
    content: JSONTypes | ArrayBuffer,
    dataType: WebPubSubDataType,
    options?: SendToGroupOptions,
  ): Promise<WebPubSubResult>;
}

/**
 * Is a member of a group as long as the component is mounted, and passes its messages to `onMessage`, which may be another
 * function at each rendering. Several components may be members of one group: the connection leaves it with the last.
 */
export function useGroup(
  { client, status }: Pick<WebPubSubConnection, "client" | "status">,
  group: string,
  onMessage?: (message: GroupDataMessage) => void,
): GroupMembership {
  const newest = useRef(onMessage);
  newest.current = onMessage;
  const [{ isJoined, error }, setState] = useState<{ isJoined: boolean; error?: Error }>({ isJoined: false });
  const isReady = client !== undefined && (status === "connected" || connectedOnce.has(client));

  useEffect(() => {
    if (!client) return;
    const receive = ({ message }: { message: GroupDataMessage }) => {
      if (message.group === group) newest.current?.(message);
    };
    client.on("group-message", receive);
    return () => client.off("group-message", receive);
  }, [client, group]);

  useEffect(() => {
    if (!client || !isReady) return;
    let mounted = true;
    const failed = (error: Error) => mounted && setState({ isJoined: false, error });
    const membership = joined(client, group);
    const rejoinFailed = (event: { group: string; error: Error }) => {
      if (event.group !== group) return;
      membership.isLost = true;
      failed(event.error);
    };
    client.on("rejoin-group-failed", rejoinFailed);
    membership.joining.then(() => mounted && setState({ isJoined: true }), failed);
    return () => {
      mounted = false;
      client.off("rejoin-group-failed", rejoinFailed);
      setState({ isJoined: false });
      left(membership);
    };
  }, [client, group, isReady]);

  const send = useCallback<GroupMembership["send"]>(
    async (content, dataType, options) => {
      if (!client) throw new Error("The connection is not connected.");
      return client.sendToGroup(group, content, dataType, options);
    },
    [client, group],
  );
  return { isJoined, error, send };
}

/** Components that are members of one group, on one connection. */
interface Membership {
  client: WebPubSubClient;
  group: string;
  members: number;
  joining: Promise<unknown>;
  /** Whether joining again failed: whoever comes later joins anew. */
  isLost: boolean;
}

/** The newest membership of each group. */
const memberships = new WeakMap<WebPubSubClient, Map<string, Membership>>();

/** One component more. The connection joins with the first, and anew with the first after a failure. */
function joined(client: WebPubSubClient, group: string): Membership {
  const groups = memberships.get(client) ?? new Map<string, Membership>();
  memberships.set(client, groups);
  const known = groups.get(group);
  if (known && !known.isLost) {
    known.members += 1;
    return known;
  }
  const membership = { client, group, members: 1, joining: client.joinGroup(group), isLost: false };
  groups.set(group, membership);
  membership.joining.catch(() => groups.get(group) === membership && groups.delete(group));
  return membership;
}

/** One component less. The connection leaves the group with the last, unless another comes at once. */
function left(membership: Membership): void {
  const { client, group } = membership;
  membership.members -= 1;
  queueMicrotask(() => {
    const groups = memberships.get(client);
    // Of one that failed, or that another has replaced, there is nothing to leave.
    if (membership.members > 0 || groups?.get(group) !== membership) return;
    groups.delete(group);
    // A connection that has ended is no member any more.
    client.leaveGroup(group).catch(() => {});
  });
}
