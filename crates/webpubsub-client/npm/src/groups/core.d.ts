// The crate `webpubsub-client-groups`, as wasm-bindgen shows it to JavaScript: `#core` of what streams and
// states load.
//
// A number that is missing is negative; `problem` is the place of the problem's words in `errors.ts`.

/** `../../../../webpubsub-client-groups/src/host.rs` */
export interface GroupsHost {
  setTimer(milliseconds: number): void;
  sendStart(streamId: string, group: string, noEcho: boolean, idleMillis: number): void;
  sendData(streamId: string, sequenceId: number, payload: any): void;
  sendEnd(streamId: string, isError: boolean, message?: string, userErrorCode?: string): void;
  done(call: number): void;
  failed(call: number, problem: number, name: string, text: string): void;
  streamFailed(streamId: string, problem: number, name: string, text: string): void;
  began(subscription: number, stream: number, group: string, streamId: string): void;
  fragment(stream: number, message: any): void;
  ended(stream: number, how: number, error: any): void;
}

/** `../../../../webpubsub-client-groups/src/groups.rs` */
export class Groups {
  constructor(host: GroupsHost);
  timeout(): void;
  linkOpened(): void;
  recovery(isOver: boolean): void;
  connectionLost(): void;
  stopped(): void;

  open(call: number, streamId: string, group: string, noEcho: boolean, idleMillis: number): number;
  write(call: number, streamId: string, payload: unknown): void;
  end(call: number, streamId: string, isError: boolean, message?: string, userErrorCode?: string): void;
  abort(call: number): void;
  acknowledged(streamId: string, expected: number, isTaken: boolean): void;
  closed(streamId: string, name: string | undefined, message: string): void;

  subscribe(subscription: number, idleMillis: number, fromStart: boolean, groups?: string[]): void;
  unsubscribe(subscription: number): void;
  refuse(stream: number): void;
  received(group: string, streamId: string, sequenceId: number, isEnd: boolean, error: unknown, message: unknown): void;

  nameProblem(group: string): number;
  subscribing(group: string): void;
  subscribed(group: string, isDone: boolean): void;
  unsubscribed(group: string): void;
  set(group: string, state: unknown): void;
  left(group: string): void;
  own(group: string): any;
  list(group: string): any[] | undefined;
  connected(changed: string[]): string[];
  item(connectionId: string, updatedAt: number, state: unknown): void;
  states(group: string, isSnapshot: boolean): boolean;
}
