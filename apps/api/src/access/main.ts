import { parseArgs } from 'node:util';
import type { ApiKeyList, NewApiKeyView } from './api.key.view.js';

const USAGE = `usage: npm run keys -- list
       npm run keys -- create <name> <viewer|operator|admin> [--expires 90d] [--tenant <tenant>] [--permission <permission>]...
       npm run keys -- rotate <id> [--overlap 1h]
       npm run keys -- revoke <id>
talks to CALLSHEET_API_URL (default http://localhost:3000) with the key in CALLSHEET_API_KEY
`;
/** Milliseconds that the API has to answer. */
const PATIENCE = 20_000;

/** What the person at the shell can mend. */
class CommandError extends Error {}

try {
  process.stdout.write(await run(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`callsheet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CommandError ? 2 : 1;
}

async function run(given: string[]): Promise<string> {
  const { positionals, values } = parse(given);
  const [command, first = '', role = '', ...rest] = positionals;
  const arity = { list: 1, create: 3, rotate: 2, revoke: 2 }[command ?? ''];
  if (arity !== positionals.length || rest.length > 0) throw new CommandError(`\n${USAGE}`);
  const key = `/v1/api-keys/${encodeURIComponent(first)}`;
  switch (command) {
    case 'create':
      return made(
        await ask<NewApiKeyView>('POST', '/v1/api-keys', {
          ...{ name: first, role, tenant: values.tenant },
          ...{ expiresIn: values.expires, permissions: values.permission },
        }),
      );
    case 'rotate':
      return made(await ask<NewApiKeyView>('POST', `${key}/rotate`, { overlap: values.overlap }));
    case 'revoke':
      await ask('DELETE', key);
      return `revoked ${first}\n`;
    default: {
      const { items } = await ask<ApiKeyList>('GET', '/v1/api-keys');
      const lines = items.map(({ id, name, role, tenant, expiresAt, permissions }) =>
        [id, role, name, tenant ?? '-', expiresAt ?? 'never', permissions?.join(',') ?? 'all'].join(
          '\t',
        ),
      );
      return [`id\trole\tname\ttenant\texpires\tpermissions`, ...lines, ''].join('\n');
    }
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    ...{ expires: text, tenant: text, overlap: text },
    permission: { type: 'string', multiple: true } as const,
  };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}

/** The key goes to standard output alone, so that it can be put where it belongs. */
function made({ key, id, expiresAt }: NewApiKeyView): string {
  const until = expiresAt === undefined ? 'until it is revoked' : `until ${expiresAt}`;
  process.stderr.write(`key ${id}, holds ${until}; it is shown this once:\n`);
  return `${key}\n`;
}

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const url = new URL(path, process.env.CALLSHEET_API_URL ?? 'http://localhost:3000');
  const own = process.env.CALLSHEET_API_KEY;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(PATIENCE),
    headers: {
      ...(own && { authorization: `Bearer ${own}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(`nothing answers at ${url.origin}: set CALLSHEET_API_URL to where the API is`, {
      cause,
    });
  });
  const text = await response.text();
  const answer = (text === '' ? undefined : JSON.parse(text)) as { detail?: string } | undefined;
  if (!response.ok) throw new Error(answer?.detail ?? `answered ${response.status}`);
  return answer as T;
}
