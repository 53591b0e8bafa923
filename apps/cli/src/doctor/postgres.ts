import { storeRelease } from '@callsheet/messaging';
import { Client } from 'pg';
import { when, type Check } from './check.js';
import { skewTo, type Skewed } from './clock.js';
import type { Encrypted } from './encryption.js';

/** What a PostgreSQL server tells of itself, and of what Callsheet keeps there. */
export interface PostgresFacts extends Skewed, Omit<Encrypted, 'keys'> {
  /** 150000 for 15. */
  version: number;
  fsync: string;
  commit: string;
  isReplica: boolean;
  /** Connections that there may be, that are in use, and of these on other databases or by other users: surely none of Callsheet's. */
  connections: { most: number; used: number; others: number };
  /** Actors that have had messages or workers here. */
  actors: number;
  /** Migrations that this release has, and that were applied; none: nobody has started here yet. */
  migrations: { known: number; applied: number };
  /** Idempotency keys whose time is over by an hour and more. */
  overdue: number;
}

const OLDEST = 130_000;
const PATIENCE = 5_000;
/** Connections that one process may open: of its queues, its senders, and its renewals of locks; each worker may add two. */
const POOLS = 21 + 10 + 1;
const OF_A_WORKER = 2;
const MANY = 1_000;

export const POSTGRES: readonly Check<PostgresFacts>[] = [
  {
    id: 'postgres-old',
    severity: 'error',
    find: ({ version }) =>
      when(version < OLDEST, `PostgreSQL ${Math.floor(version / 10_000)} is too old`),
    fix: `install PostgreSQL ${OLDEST / 10_000} or newer`,
  },
  {
    id: 'postgres-never-syncs',
    severity: 'error',
    find: ({ fsync }) => when(fsync === 'off', 'fsync is off: a power cut may ruin the database'),
    fix: 'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()',
  },
  {
    id: 'postgres-commits-late',
    severity: 'warning',
    find: ({ commit }) =>
      when(commit === 'off', 'synchronous_commit is off: a power cut loses what was accepted last'),
    fix: 'set it to on, for the database or the user',
  },
  {
    id: 'postgres-replica',
    severity: 'error',
    find: ({ isReplica }) => when(isReplica, 'this server is a replica: it takes no writes'),
    fix: 'let CALLSHEET_URL name the primary',
  },
  {
    id: 'postgres-connections-out',
    severity: 'error',
    find: ({ connections: { most, used } }) =>
      when(used >= most, `none of ${most} connections is free`),
    fix: 'raise max_connections, or see who has them: SELECT usename, count(*) FROM pg_stat_activity GROUP BY 1',
  },
  {
    id: 'postgres-connections-few',
    severity: 'warning',
    find: ({ connections: { most, others }, actors }) => {
      const wanted = POOLS + OF_A_WORKER * actors;
      return when(
        most - others < wanted,
        `${most} connections there may be, ${others} others have: one process with ${actors} actors may open ${wanted}`,
      );
    },
    fix: `set max_connections to ${POOLS} for each process, ${OF_A_WORKER} more for each actor it works for, and some to spare`,
  },
  {
    id: 'postgres-migrations-missing',
    severity: 'warning',
    find: ({ migrations: { known, applied } }) =>
      when(applied > 0 && applied < known, `${applied} of ${known} migrations are applied`),
    fix: 'the next process of this release that starts applies the others',
  },
  {
    id: 'postgres-schema-newer',
    severity: 'error',
    find: ({ migrations: { known, applied } }) =>
      when(applied > known, `the schema is at ${applied}, and this release knows ${known}`),
    fix: 'a newer release was here: run that one',
  },
  {
    id: 'postgres-keys-last',
    severity: 'warning',
    find: ({ overdue }) =>
      when(
        overdue > MANY,
        `${overdue} idempotency keys are over since an hour, and nobody forgets them`,
      ),
    fix: 'processes do that every ten minutes: see that one runs, and may delete',
  },
];

/** @throws what the client says, when it cannot be asked */
export async function postgresFacts(url: string, now: () => number): Promise<PostgresFacts> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: PATIENCE,
    query_timeout: PATIENCE,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const one = async <T extends object>(sql: string) => (await client.query<T>(sql)).rows[0] as T;
    const server = await one<{
      version: number;
      fsync: string;
      commit: string;
      replica: boolean;
      most: number;
      used: number;
      others: number;
      is_there: boolean;
    }>(`SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync,
               current_setting('synchronous_commit') AS commit, pg_is_in_recovery() AS replica,
               current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
               (SELECT count(*)::int - 1 FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
               (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'
                   AND (datname, usename) IS DISTINCT FROM (current_database(), current_user)) AS others,
               to_regclass('callsheet.note') IS NOT NULL AND to_regclass('bullmq.job') IS NOT NULL AS is_there`);
    const skew = await skewTo(
      async () =>
        Number(
          (await one<{ now: string }>('SELECT extract(epoch FROM clock_timestamp()) AS now')).now,
        ) * 1_000,
      now,
    );
    const { migrations: known } = await storeRelease();
    const applied = await one<{ applied: number }>(
      to(
        server.is_there,
        'SELECT COALESCE(max(version), 0)::int AS applied FROM callsheet.migration',
        'SELECT 0 AS applied',
      ),
    );
    const sent = await one<{ overdue: number }>(
      to(
        server.is_there,
        "SELECT count(*)::int AS overdue FROM callsheet.sent WHERE expires_at < now() - interval '1 hour'",
        'SELECT 0 AS overdue',
      ),
    );
    const { actors } = await one<{ actors: number }>(
      to(
        server.is_there,
        'SELECT count(DISTINCT queue)::int AS actors FROM bullmq.meta',
        'SELECT 0 AS actors',
      ),
    );
    const used = await client.query<{ kid: string | null }>(
      to(
        server.is_there,
        `SELECT DISTINCT data->'$encrypted'->>'kid' AS kid FROM (SELECT data FROM bullmq.job LIMIT 5000) AS job`,
        'SELECT NULL AS kid',
      ),
    );
    return {
      ...{ version: server.version, fsync: server.fsync, commit: server.commit },
      ...{ isReplica: server.replica, skew, overdue: sent.overdue },
      connections: { most: server.most, used: server.used, others: server.others },
      actors,
      migrations: { known, applied: applied.applied },
      used: used.rows.map(({ kid }) => kid).filter((kid) => kid !== null),
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Nobody may have started here yet. */
function to(isThere: boolean, sql: string, otherwise: string): string {
  return isThere ? sql : otherwise;
}
