import { useGroup, type WebPubSubConnection } from "@webpubsub-edge/client/react";
import { useEffect, useRef, useState } from "react";

const MOST_SHOWN = 200;

interface Line {
  id: number;
  author: string;
  text: string;
}

/** A member of the room's group as long as it is there: what was said before is not shown. */
export function Room({ connection, room }: { connection: WebPubSubConnection; room: string }) {
  const [lines, setLines] = useState<Line[]>([]);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const end = useRef<HTMLLIElement>(null);
  const nextId = useRef(0);

  const { isJoined, error, send } = useGroup(connection, `rooms-${room}`, ({ fromUserId, data }) => {
    const line = { id: nextId.current++, author: fromUserId, text: String(data) };
    setLines((lines) => [...lines, line].slice(-MOST_SHOWN));
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls when there is another line
  useEffect(() => {
    // Without the braces the effect would return what this does, which is a promise in newer browsers, and no clean-up.
    end.current?.scrollIntoView({ block: "nearest" });
  }, [lines]);

  async function submit() {
    if (text.trim() === "") return;
    setProblem("");
    try {
      // Done when the service has taken it. Everyone in the group receives it, this page too.
      await send(text, "text");
      setText((current) => (current === text ? "" : current));
    } catch (error) {
      setProblem(`The message was not sent: ${error instanceof Error ? error.message : error}`);
    }
  }

  return (
    <section aria-label={room}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without a mouse it is scrolled by keys */}
      <div className="messages" role="log" aria-label="Messages" tabIndex={0}>
        <ol>
          {lines.map(({ id, author, text }) => (
            <li key={id}>
              <strong>{author}</strong> {text}
            </li>
          ))}
          <li ref={end} aria-hidden="true" />
        </ol>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div>
          <label htmlFor="text">Message</label>
          <input
            id="text"
            value={text}
            onChange={(event) => setText(event.target.value)}
            maxLength={1000}
            autoComplete="off"
          />
        </div>
        <button type="submit" disabled={!isJoined}>
          Send
        </button>
      </form>
      <p className="problem" role="alert">
        {error ? `This room cannot be joined: ${error.message}` : problem}
      </p>
    </section>
  );
}
