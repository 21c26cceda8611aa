// What a Durable Object's state offers, each as one crossing.

/** The object's name, which the platform does not give to one that an alarm woke. */
export function objectName(state: DurableObjectState): string | undefined {
  return state.id.name;
}

/** Has the platform answer every text `ping` with `pong`, without waking the object. */
export function answerPings(state: DurableObjectState, ping: string, pong: string): void {
  state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(ping, pong));
}

/** The sockets that the object has accepted and that are open. */
export function openWebSockets(state: DurableObjectState): WebSocket[] {
  return state.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
}

/** Wakes the object at that time, in milliseconds since the Unix epoch. */
export function setAlarm(state: DurableObjectState, due: number): void {
  // Part of the step's writes: nothing leaves before it is on disk, and a failure resets the object.
  void state.storage.setAlarm(due);
}

/** Takes back what `setAlarm` asked for. */
export function deleteAlarm(state: DurableObjectState): void {
  void state.storage.deleteAlarm();
}

/** The rows that statements find, each an array; `values` are those of the last statement. */
export function runSql(state: DurableObjectState, statement: string, values: unknown[]): SqlStorageValue[][] {
  return [...state.storage.sql.exec(statement, ...values).raw()];
}
