import { Redis } from 'ioredis';

/** Writes into a store what only Callsheet should write. */
export interface Vandal {
  /**
   * Puts another state in place of that of a schedule, if it is still of this revision; else does nothing, and answers false. A turn
   * at work cannot commit over it.
   */
  write(key: string, data: unknown, revision: number): Promise<boolean>;
  /** Removes the state of a schedule. */
  drop(key: string): Promise<void>;
  close(): void;
}

export function redisVandal(url: string): Vandal {
  const redis = new Redis(url);
  const stateOf = (key: string): string => `{callsheet}:schedules:state:${key}`;
  const script = `if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
    redis.call('HSET', KEYS[1], 'value', ARGV[2], 'revision', ARGV[1] + 1) return 1`;
  return {
    async write(key, data, revision) {
      const value = JSON.stringify({ data });
      return (await redis.eval(script, 1, stateOf(key), `${revision}`, value)) === 1;
    },
    async drop(key) {
      await redis.del(stateOf(key));
    },
    close: () => redis.disconnect(),
  };
}

/** Anything that runs SQL. */
interface Sql {
  query(text: string, params: unknown[]): Promise<{ rows: unknown[] }>;
}

export function sqlVandal(sql: Sql, close = (): void => undefined): Vandal {
  const where = `queue = 'schedules' AND key = $1`;
  return {
    async write(key, data, revision) {
      const text = `UPDATE callsheet.state SET value = $2, revision = revision + 1 WHERE ${where} AND revision = $3 RETURNING 1`;
      return (await sql.query(text, [key, JSON.stringify({ data }), revision])).rows.length === 1;
    },
    async drop(key) {
      await sql.query(`DELETE FROM callsheet.state WHERE ${where}`, [key]);
    },
    close,
  };
}
