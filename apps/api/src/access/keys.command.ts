import { parseArgs } from 'node:util';
import type { ApiKeyList, NewApiKeyView } from './api.key.view.js';

const USAGE = `usage: npm run keys -- list
       npm run keys -- create <name> <viewer|operator|admin> [--expires 90d] [--tenant <tenant>] [--permission <permission>]...
       npm run keys -- rotate <id> [--overlap 1h]
       npm run keys -- revoke <id>
talks to CALLSHEET_API_URL (default http://localhost:3000) with the key in CALLSHEET_API_KEY
`;
/** How many words each command has. */
const ARITY = new Map<string | undefined, number>([
  ['list', 1],
  ['create', 3],
  ['rotate', 2],
  ['revoke', 2],
]);
/** Milliseconds that the API has to answer. */
const PATIENCE = 20_000;

/** The command is not one; its message says what is. */
export class CommandError extends Error {}

/** What a command answers. */
export interface Answer {
  /** For standard output: a key alone, so that it can be put where it belongs. */
  out: string;
  /** For the person at the shell. */
  note?: string;
}

/**
 * Makes, lists, rotates and revokes API keys, over HTTP.
 *
 * @param given arguments: `list`, `create <name> <role>`, `rotate <id>`, `revoke <id>`, and their options
 * @throws CommandError for other arguments; Error when it cannot be done
 */
export async function keysCommand(
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Answer> {
  const { positionals, values } = parse([...given]);
  const ask = asker(env);
  const [command, first = '', role = '', ...rest] = positionals;
  const arity = ARITY.get(command);
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
      return { out: `revoked ${first}\n` };
    default: {
      const { items } = await ask<ApiKeyList>('GET', '/v1/api-keys');
      const lines = items.map(({ id, name, role, tenant, expiresAt, permissions }) =>
        [id, role, name, tenant ?? '-', expiresAt ?? 'never', permissions?.join(',') ?? 'all'].join(
          '\t',
        ),
      );
      const head = 'id\trole\tname\ttenant\texpires\tpermissions';
      return { out: [head, ...lines, ''].join('\n') };
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

function made({ key, id, expiresAt }: NewApiKeyView): Answer {
  const until = expiresAt === undefined ? 'until it is revoked' : `until ${expiresAt}`;
  return { out: `${key}\n`, note: `key ${id}, holds ${until}; it is shown this once:\n` };
}

/** Asks the API that the environment names. */
function asker({
  CALLSHEET_API_URL: base = 'http://localhost:3000',
  CALLSHEET_API_KEY: own,
}: Readonly<Record<string, string | undefined>>) {
  return async <T>(method: string, path: string, body?: object): Promise<T> => {
    const url = new URL(path, base);
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(PATIENCE),
      headers: {
        ...(own && { authorization: `Bearer ${own}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(
        `nothing answers at ${url.origin}: set CALLSHEET_API_URL to where the API is`,
        {
          cause,
        },
      );
    });
    const text = await response.text();
    const answer = (text === '' ? undefined : JSON.parse(text)) as { detail?: string } | undefined;
    if (!response.ok) throw new Error(answer?.detail ?? `answered ${response.status}`);
    return answer as T;
  };
}
