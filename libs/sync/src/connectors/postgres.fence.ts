import type { PoolClient } from 'pg';
import type { Page, PageOutcome } from '../pipeline.js';
import type { PostgresDatabase } from './postgres.database.js';

type Attempt = Pick<Page, 'pipeline' | 'id' | 'signal'>;

/**
 * What a sink keeps beside its rows, in one transaction with them, a row per pipeline: the page that was pushed last and what it
 * came to, and who may push next. A page whose turn did not commit is so not pushed again, and who was frozen while another took
 * over pushes nothing.
 */
export class PostgresFence {
  private isThere = false;
  /** By the signal of an attempt: one that was given up may still be at work beside the next. */
  private readonly tokens = new WeakMap<AbortSignal, string>();

  constructor(private readonly database: PostgresDatabase) {}

  /** Takes the right to push, for one attempt. Answers what this page came to, if it was pushed already. */
  async take({ pipeline, id, signal }: Attempt): Promise<PageOutcome | undefined> {
    if (!this.isThere) await this.create();
    this.isThere = true;
    // $1 pipeline. Answers the new token, and the page that was pushed last.
    const [row] = await this.database.query<{ token: string; page?: string; outcome: PageOutcome }>(
      `insert into callsheet_sync as known (pipeline, token) values ($1, 1)
       on conflict (pipeline) do update set token = known.token + 1
       returning token::text, page, outcome`,
      [pipeline],
    );
    if (row) this.tokens.set(signal, row.token);
    return row?.page === id ? row.outcome : undefined;
  }

  /** Holds the right to push until the transaction ends. @throws when somebody else has taken it */
  async hold(client: PoolClient, { pipeline, signal }: Attempt): Promise<void> {
    const { rowCount } = await client.query(
      'select 1 from callsheet_sync where pipeline = $1 and token = $2 for update',
      [pipeline, this.tokens.get(signal)],
    );
    if (rowCount === 1) return;
    throw new Error(`another attempt has taken over the pipeline '${pipeline}': nothing is pushed`);
  }

  /** Notes what is committed with the transaction. */
  async note(client: PoolClient, { pipeline, id, outcome }: Page): Promise<void> {
    await client.query(
      'update callsheet_sync set page = $2, outcome = $3, at = now() where pipeline = $1',
      [pipeline, id, JSON.stringify(outcome)],
    );
  }

  private async create(): Promise<void> {
    // Two that create it at once may collide in the catalogue, although it says "if not exists".
    await this.database.transaction(async (client) => {
      await client.query("select pg_advisory_xact_lock(hashtext('callsheet_sync'))");
      await client.query(`create table if not exists callsheet_sync (
        pipeline text primary key,
        token bigint not null,
        page text,
        -- As text: a bad row in it may have what jsonb refuses, NUL say.
        outcome json,
        at timestamptz not null default now()
      )`);
    });
  }
}
