// What is around every page: the head, the navigation, and the form to sign in where a page needs that.
import { html, nothing } from "lit-html";
import { signInForm } from "../parts/sign-in.js";
import { pages } from "./pages.js";

export const frame = (app) => html`
  <a class="skip" href="#page-title" @click=${skip}>Skip to the page</a>
  <header class="top">
    <img src="/icon.svg" alt="" width="32" height="32" />
    <p class="name">Web PubSub Edge</p>
    <div class="top-end">${accessState(app)} ${themeChoice(app.theme)}</div>
  </header>
  <nav aria-label="Pages">
    <ul>
      ${pages.map((entry) => {
        const isCurrent = entry === app.route.entry;
        return html`<li>
          <a href="#/${entry.path}" aria-current=${isCurrent ? "page" : nothing}>${entry.title}</a>
        </li>`;
      })}
    </ul>
  </nav>
  <main>
    <h1 id="page-title" tabindex="-1">${app.route.entry.title}</h1>
    ${app.access.isSignedIn && app.access.problem ? html`<p class="problem" role="alert">${app.access.problem}</p>` : ""}
    ${content(app)}
  </main>
`;

function content(app) {
  if (!app.page) return html`<p class="note">Loading …</p>`;
  if (app.route.entry.needsAccess && !app.access.isSignedIn)
    return html`<section class="card narrow" aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Sign in first</h2>
      ${signInForm(app)}
    </section>`;
  return app.page.render();
}

const accessState = ({ access }) =>
  access.isSignedIn
    ? html`<span class="badge" data-tone="live">Signed in</span>
        <button type="button" class="small" @click=${() => access.signOut()}>Sign out</button>`
    : html`<span class="badge" data-tone="idle">Not signed in</span>`;

const themeChoice = (theme) => html`
  <label class="visually-hidden" for="theme">Theme</label>
  <select id="theme" class="small" @change=${({ target }) => theme.choose(target.value)}>
    ${theme.choices.map(
      ([value, words]) => html`<option value=${value} .selected=${theme.chosen === value}>${words}</option>`,
    )}
  </select>
`;

/** The address names the page, so the link moves the focus itself. */
function skip(event) {
  event.preventDefault();
  document.getElementById("page-title")?.focus();
}
