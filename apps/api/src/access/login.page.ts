import { createHash } from 'node:crypto';
import type { Principal } from './principal.js';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { width: min(24rem, 90vw); }
h1 { font-size: 1.5rem; }
label, input, button, .button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input { margin: .25rem 0 1rem; padding: .5rem; }
button, .button { padding: .5rem; cursor: pointer; }
.button { margin-bottom: 1.5rem; border: 1px solid; border-radius: .25rem; text-align: center; text-decoration: none; color: inherit; }
[role=alert] { padding: .5rem .75rem; border-left: .25rem solid #c62828; }
`;

/** Of the style in the page, for its Content-Security-Policy. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/**
 * The page to log in at, and to log out when somebody is.
 *
 * @param next where to go then, a path of this site
 * @param problem what was wrong with the last try
 * @param provider the host of the identity provider that people may log in at
 */
export function loginPage({
  principal,
  next,
  problem,
  provider,
}: {
  principal?: Principal | undefined;
  next: string;
  problem?: string | undefined;
  provider?: string | undefined;
}): string {
  return page(
    principal ? 'account' : 'log in',
    `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
${principal ? loggedIn(principal, next) : `${provider === undefined ? '' : link(provider, next)}${form(next)}`}`,
  );
}

/**
 * The page that somebody arrives at who comes back from the identity provider. It goes on by itself, and is no redirect: what follows a
 * page of another site browsers ask for without the session.
 *
 * @param next where to, a path of this site
 */
export function arrivalPage(next: string): string {
  return page(
    'logged in',
    `<p>You are logged in. <a href="${escaped(next)}">Go on to ${escaped(next)}</a></p>`,
    `<meta http-equiv="refresh" content="0;url=${escaped(next)}">\n`,
  );
}

function page(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>Callsheet: ${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Callsheet</h1>
${body}
</main>
</body>
</html>
`;
}

/** No form: browsers would follow it to this site only. */
function link(provider: string, next: string): string {
  const url = `/login/oidc?next=${encodeURIComponent(next)}`;
  return `<a class="button" href="${escaped(url)}">Log in with ${escaped(provider)}</a>
`;
}

function form(next: string): string {
  return `<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
<label for="key">API key or token</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>`;
}

function loggedIn({ name, role, tenant }: Principal, next: string): string {
  const of = tenant === undefined ? '' : ` of the tenant ${escaped(tenant)}`;
  return `<p>You are <strong>${escaped(name)}</strong>, ${role}${of}.</p>
<p><a href="${escaped(next)}">Go on to ${escaped(next)}</a></p>
<form method="post" action="/logout"><button>Log out</button></form>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
