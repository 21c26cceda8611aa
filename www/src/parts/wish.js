// The fields of a wish for a client URL: hub, user, roles, groups, time.
import { html } from "lit-html";
import { lines } from "./form.js";

/** What the fields hold at first. */
export const newWish = () => ({
  hub: "myHub1",
  user: "",
  mayJoin: true,
  maySend: true,
  roles: "",
  groups: "",
  minutes: "60",
  clients: "default",
});

/** All roles that the fields ask for. */
export const rolesOf = ({ mayJoin, maySend, roles }) => [
  ...(mayJoin ? ["webpubsub.joinLeaveGroup"] : []),
  ...(maySend ? ["webpubsub.sendToGroup"] : []),
  ...lines(roles),
];

/** @returns {import("../access/client-url.js").Wish} */
export const wishOf = (fields) => ({
  hub: fields.hub.trim(),
  user: fields.user.trim(),
  roles: rolesOf(fields),
  groups: lines(fields.groups),
  minutes: Number(fields.minutes || Number.NaN),
  isMqtt: fields.clients === "mqtt",
});

/** The fields, with ids that begin with `id`. */
export const wishFields = (fields, id) => html`
  <div class="pair">
    <div>
      <label for="${id}-hub">Hub</label>
      <input id="${id}-hub" name="hub" .value=${fields.hub} spellcheck="false" autocomplete="off" autocapitalize="off" />
    </div>
    <div>
      <label for="${id}-user">User <span class="optional">optional</span></label>
      <input id="${id}-user" name="user" .value=${fields.user} spellcheck="false" autocomplete="off" autocapitalize="off" />
    </div>
  </div>
  <fieldset class="ticks">
    <legend>What it may do</legend>
    <label class="tick">
      <input type="checkbox" name="mayJoin" .checked=${fields.mayJoin} /><span>Join and leave every group</span>
    </label>
    <label class="tick">
      <input type="checkbox" name="maySend" .checked=${fields.maySend} /><span>Send to every group</span>
    </label>
  </fieldset>
  <details>
    <summary>More roles, groups and time</summary>
    <label for="${id}-roles">More roles <span class="optional">one a line</span></label>
    <textarea
      id="${id}-roles"
      name="roles"
      class="mono"
      rows="2"
      .value=${fields.roles}
      spellcheck="false"
      placeholder="webpubsub.sendToGroups.room-*"
    ></textarea>
    <label for="${id}-groups">Groups to begin in <span class="optional">one a line</span></label>
    <textarea id="${id}-groups" name="groups" rows="2" .value=${fields.groups} spellcheck="false" placeholder="room"></textarea>
    <label for="${id}-minutes">Minutes until it expires</label>
    <input
      id="${id}-minutes"
      name="minutes"
      type="number"
      inputmode="numeric"
      min="1"
      max="525600"
      .value=${fields.minutes}
    />
  </details>
`;
