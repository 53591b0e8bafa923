import type { PoolClient } from 'pg';
import { parsePgOutput, type PgOutput, type Relation, type RowChange } from './pgoutput.js';
import type { PostgresDatabase } from './postgres.database.js';
import { lsnOf } from './replication.slot.js';

/** A place between two changes. */
export interface ReplicationPlace {
  /** Behind the last transaction that was read whole. */
  lsn: string;
  /** A transaction that was read in part: where it commits, and how many of its changes were read. */
  in?: { commit: string; done: number };
}

/** A change, with the table as it was then. */
export type Change =
  (RowChange & { table: Relation }) | { kind: 'truncate'; relation: number; table?: undefined };

/** Some changes that follow each other. */
export interface Changes {
  changes: Change[];
  place: ReplicationPlace;
  /** Transactions that made them. */
  xids: Set<number>;
  /** When the last transaction of them committed; undefined: none ended. */
  at: Date | undefined;
  /** There is nothing behind them: all was read that was committed when it was opened. */
  isEnd: boolean;
}

/** After how many messages the server stops, at the end of a transaction. */
const MESSAGES = 20_000;
/** How many are fetched at once, at most. */
const FETCHED = 1_000;

/**
 * Reads a slot once, without confirming anything. The server decodes into a cursor of its own, on disk if need be, which outlives its
 * transaction: so a transaction of any length is decoded once, is read in parts, and holds back no horizon meanwhile.
 */
export class ReplicationReader {
  private fetched: Buffer[] = [];
  private isOver = false;
  private read = 0;
  private readonly relations = new Map<number, Relation>();
  private transaction: { commit: string; done: number; xid: number } | undefined;
  /** Where the transaction commits that was read in part, until it has come again. */
  private awaited: string | undefined;

  private constructor(
    private readonly client: PoolClient,
    private place: ReplicationPlace,
    private readonly written: string,
  ) {
    this.awaited = place.in?.commit;
  }

  /**
   * @param place where it begins: the slot must be confirmed up to there
   * @param written up to where it reads at least
   */
  static async open(
    database: PostgresDatabase,
    { slot, publication }: { slot: string; publication: string },
    place: ReplicationPlace,
    written: string,
  ): Promise<ReplicationReader> {
    const client = await database.connect();
    const text = (value: string): string => client.escapeLiteral(value);
    try {
      // The names of publications are a list, in which quotes keep a name whole.
      const names = text(`"${publication.replaceAll('"', '""')}"`);
      await client.query('begin');
      await client.query(
        `declare changes no scroll cursor with hold for
         select data from pg_logical_slot_peek_binary_changes(${text(slot)}, ${text(written)}, ${MESSAGES},
           'proto_version', '1', 'publication_names', ${names})`,
      );
      await client.query('commit');
    } catch (error) {
      client.release(true);
      throw error;
    }
    return new ReplicationReader(client, place, written);
  }

  /** Whether it goes on where this page begins. */
  isAt({ lsn, in: part }: ReplicationPlace): boolean {
    const own = this.place;
    return own.lsn === lsn && own.in?.commit === part?.commit && own.in?.done === part?.done;
  }

  get isAtEnd(): boolean {
    return this.isOver && this.fetched.length === 0;
  }

  /**
   * Reads to the end of the transaction with which `least` changes are reached; of one that is longer than that, parts.
   *
   * @param most never more changes
   */
  async next(least: number, most: number): Promise<Changes> {
    const changes: Change[] = [];
    const xids = new Set<number>();
    const { in: resumed } = this.place;
    let { lsn } = this.place;
    let at: Date | undefined;
    while (changes.length < most && (changes.length < least || this.transaction)) {
      const message = await this.message(Math.min(FETCHED, most));
      if (!message) break;
      if (message.kind === 'begin') this.begin(message);
      else if (message.kind === 'commit') {
        [lsn, at, this.transaction] = [message.end, message.at, undefined];
      } else if (message.kind === 'relation') this.relations.set(message.id, message);
      else if (message.kind !== 'other') {
        const some = this.changesOf(message, resumed);
        if (some.length > 0 && this.transaction) xids.add(this.transaction.xid);
        changes.push(...some);
      }
    }
    if (this.isAtEnd) this.checkResumed(undefined);
    const isEnd = this.isAtEnd && this.read < MESSAGES;
    // Nothing that was written before is still to come.
    if (isEnd && lsnOf(this.written) > lsnOf(lsn)) lsn = this.written;
    const { commit, done } = this.transaction ?? {};
    this.place = {
      lsn,
      ...(commit !== undefined && done !== undefined && { in: { commit, done } }),
    };
    return { changes, xids, place: this.place, at, isEnd };
  }

  /** Lets the connection go, and with it what the server has decoded. */
  close(): void {
    this.client.release(true);
  }

  private begin({ commit, xid }: { commit: string; xid: number }): void {
    this.checkResumed(lsnOf(commit));
    this.transaction = { commit, done: 0, xid };
  }

  /** Transactions come in the order of their commits: the one that was read in part must be there, as it was. */
  private checkResumed(commit: bigint | undefined): void {
    if (this.awaited === undefined || (commit !== undefined && commit < lsnOf(this.awaited)))
      return;
    if (commit !== lsnOf(this.awaited)) {
      throw new Error(
        `the transaction that commits at ${this.awaited} was read in part, and is not published any more`,
      );
    }
    this.awaited = undefined;
  }

  /** A change, unless it was read before. A truncation is one of each of its tables. */
  private changesOf(
    message: Exclude<PgOutput, { kind: 'begin' | 'commit' | 'relation' | 'other' }>,
    resumed: ReplicationPlace['in'],
  ): Change[] {
    if (!this.transaction) throw new Error('pgoutput: a change outside of a transaction');
    const { commit, done } = this.transaction;
    this.transaction.done++;
    if (resumed?.commit === commit && done < resumed.done) return [];
    if (message.kind === 'truncate') {
      return message.relations.map((relation) => ({ kind: 'truncate', relation }));
    }
    const table = this.relations.get(message.relation);
    if (!table) throw new Error('pgoutput: a change of a table that was not described');
    return [{ ...message, table }];
  }

  private async message(atOnce: number): Promise<PgOutput | undefined> {
    if (this.fetched.length === 0 && !this.isOver) {
      const { rows } = await this.client.query<{ data: string }>(`fetch ${atOnce} from changes`);
      // As the other values of the connections of this library it comes as text: '\x' and digits.
      this.fetched = rows.map(({ data }) => Buffer.from(data.slice(2), 'hex')).reverse();
      this.isOver = rows.length < atOnce;
    }
    const data = this.fetched.pop();
    if (!data) return undefined;
    this.read++;
    return parsePgOutput(data);
  }
}
