// What can go wrong on purpose: the network is cut, and a recovery comes too late.
import { html } from "lit-html";

export class NetworkControls {
  #app;
  #client;

  constructor(app, client) {
    this.#app = app;
    this.#client = client;
  }

  render() {
    const { network, state, protocol } = this.#client;
    if (state === "idle" || state === "connecting") return "";
    const isReliable = protocol.includes("reliable");
    return html`<section class="card" aria-labelledby="network-title">
      <h2 id="network-title">See what the protocol promises</h2>
      <div class="actions">
        <button type="button" @click=${() => this.#toggle()}>${network.isDown ? "Restore the network" : "Drop the network"}</button>
        ${
          isReliable
            ? html`<button type="button" aria-disabled=${network.isDown} @click=${() => this.#expire()}>
              Let recovery expire
            </button>`
            : ""
        }
      </div>
      <p class="note">
        ${
          isReliable
            ? "Messages that are sent while the network is down arrive when it is back, once and in order. A recovery that comes too late makes a new connection: what was sent meanwhile is not received, and the client knows."
            : "Messages that are sent while the network is down are lost: only reliable protocols get them again."
        }
      </p>
    </section>`;
  }

  #toggle() {
    const { network } = this.#client;
    if (network.isDown) {
      network.restore();
      this.#client.note("The network is back.");
    } else {
      this.#client.note("The network is down.");
      network.cut();
    }
    this.#app.update();
  }

  /** The network stays away until the client has given its connection up. */
  #expire() {
    if (this.#client.network.isDown) return;
    this.#client.note("The network is down until the client gives the connection up, which takes up to a minute.");
    this.#client.expireRecovery();
    this.#app.update();
  }
}
