import { useState } from "react";
import { Rooms } from "./rooms.js";

/** Asks for a name. Whoever has one is connected as long as `Rooms` is there. */
export function App() {
  const [name, setName] = useState("");
  if (name) return <Rooms name={name} onLeave={() => setName("")} />;
  return (
    <>
      <header>
        <h1>Rooms</h1>
      </header>
      <main>
        <form action={(data) => setName(String(data.get("name")).trim())}>
          <div>
            <label htmlFor="name">Your name</label>
            <input id="name" name="name" required maxLength={64} autoComplete="nickname" />
          </div>
          <button type="submit">Enter</button>
        </form>
      </main>
    </>
  );
}
