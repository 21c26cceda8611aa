// The words for what went wrong with a stream, which Rust counts.

/** What `of_stream` in `../../../../webpubsub-client-groups/src/problem.rs` counts; 4 has its own words. */
const problems = [
  "Stream '%' already exists.",
  "The connection is not connected.",
  "Stream '%' failed before start acknowledgement because connection is unavailable.",
  "Stream '%' is completed.",
  "",
  "Stream session aborted because the connection cannot be recovered.",
  "Too many fragments of stream '%' wait to be sent.",
  "The operation was aborted.",
];

/** An error about a stream, with the official SDK's message or the service's name and words. */
export function streamError(problem: number, streamId: string, name: string, text: string): Error {
  if (problem === 4) return Object.assign(new Error(text), { name });
  return new Error(problems[problem]!.replace("%", () => streamId));
}

export const idleTimeout = () => ({
  name: "IdleTimeout",
  message: "No fragment of the stream came within idleTimeoutInMs.",
});

export const tooManyUnread = (count: number) => ({
  name: "TooManyUnread",
  message: `${count} fragments of the stream waited to be read, and there was one more.`,
});
