/** What a column of a change has: its text, null, or 'unchanged' when it is long, stored apart, and was not written. */
export type Field = { text: string } | null | 'unchanged';

/** A table as it was when the changes that follow were made. */
export interface Relation {
  kind: 'relation';
  /** Its oid, by which changes name it. */
  id: number;
  /** With schema, as in `schema.table`. */
  name: string;
  /** What old rows carry: the primary key, nothing, all columns, or those of an index. */
  identity: 'default' | 'nothing' | 'full' | 'index';
  columns: { name: string; type: number; isKey: boolean }[];
}

/** A change of a row. `old` is there when the key has changed, in deletions, and always when the identity is full. */
export interface RowChange {
  kind: 'insert' | 'update' | 'delete';
  relation: number;
  old?: Field[];
  /** Not of deletions. */
  row?: Field[];
}

/** A message of the plugin pgoutput. Places in the log are text as PostgreSQL prints it: 'high/low', in hexadecimal. */
export type PgOutput =
  | { kind: 'begin'; commit: string; at: Date; xid: number }
  | { kind: 'commit'; commit: string; end: string; at: Date }
  | Relation
  | RowChange
  | { kind: 'truncate'; relations: number[] }
  /** Origins, types, and messages of applications: nothing of the rows. */
  | { kind: 'other' };

/** Microseconds from 1970 to 2000, from which PostgreSQL counts. */
const EPOCH = 946_684_800_000_000n;
const IDENTITIES = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;
const IS_KEY = 1;

/**
 * Reads one message of pgoutput, protocol version 1 (PostgreSQL 10 and later; no streaming, no binary values).
 *
 * @throws Error for one that is not of that protocol
 */
export function parsePgOutput(data: Buffer): PgOutput {
  const reader = new Reader(data);
  const tag = reader.letter();
  switch (tag) {
    case 'B':
      return { kind: 'begin', commit: reader.lsn(), at: reader.time(), xid: reader.uint32() };
    case 'C':
      // Flags, of which there are none yet.
      reader.int8();
      return { kind: 'commit', commit: reader.lsn(), end: reader.lsn(), at: reader.time() };
    case 'R':
      return relationOf(reader);
    case 'I':
    case 'U':
    case 'D':
      return changeOf(tag, reader);
    case 'T': {
      const count = reader.int32();
      reader.int8();
      return { kind: 'truncate', relations: reader.list(count, () => reader.uint32()) };
    }
    case 'O':
    case 'Y':
    case 'M':
      return { kind: 'other' };
    default:
      throw new Error(`pgoutput: there is no message '${tag}' in version 1 of its protocol`);
  }
}

function relationOf(reader: Reader): Relation {
  const id = reader.uint32();
  const [schema, table, identity] = [reader.string(), reader.string(), reader.letter()];
  return {
    kind: 'relation',
    id,
    // Empty: pg_catalog.
    name: `${schema || 'pg_catalog'}.${table}`,
    identity: IDENTITIES[identity as keyof typeof IDENTITIES] ?? 'default',
    columns: reader.list(reader.int16(), () => {
      const isKey = (reader.int8() & IS_KEY) !== 0;
      const column = { name: reader.string(), type: reader.uint32(), isKey };
      // Its modifier.
      reader.int32();
      return column;
    }),
  };
}

function changeOf(tag: 'I' | 'U' | 'D', reader: Reader): RowChange {
  const kind = ({ I: 'insert', U: 'update', D: 'delete' } as const)[tag];
  const change: RowChange = { kind, relation: reader.uint32() };
  let part = reader.letter();
  if (part === 'K' || part === 'O') {
    change.old = fieldsOf(reader);
    if (kind === 'delete') return change;
    part = reader.letter();
  }
  if (part !== 'N') throw new Error(`pgoutput: there is no row '${part}' in a change`);
  return { ...change, row: fieldsOf(reader) };
}

function fieldsOf(reader: Reader): Field[] {
  return reader.list(reader.int16(), () => {
    const kind = reader.letter();
    if (kind === 'n') return null;
    if (kind === 'u') return 'unchanged';
    if (kind === 't') return { text: reader.text(reader.int32()) };
    throw new Error(`pgoutput: there is no value '${kind}' in text mode`);
  });
}

/** Reads on from where it is. What is too short is an error of Buffer. */
class Reader {
  private at = 0;

  constructor(private readonly data: Buffer) {}

  letter(): string {
    return String.fromCharCode(this.int8());
  }

  int8(): number {
    return this.data.readUInt8(this.moved(1));
  }

  int16(): number {
    return this.data.readInt16BE(this.moved(2));
  }

  int32(): number {
    return this.data.readInt32BE(this.moved(4));
  }

  uint32(): number {
    return this.data.readUInt32BE(this.moved(4));
  }

  /** 'high/low', as PostgreSQL prints it. */
  lsn(): string {
    const [high, low] = [this.uint32(), this.uint32()];
    return `${high.toString(16)}/${low.toString(16)}`.toUpperCase();
  }

  time(): Date {
    const micros = this.data.readBigInt64BE(this.moved(8)) + EPOCH;
    return new Date(Number(micros / 1_000n));
  }

  string(): string {
    const end = this.data.indexOf(0, this.at);
    if (end < 0) throw new Error('pgoutput: a name without an end');
    const text = this.data.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  text(length: number): string {
    const from = this.moved(length);
    if (this.at > this.data.length) throw new Error('pgoutput: a value without an end');
    return this.data.toString('utf8', from, this.at);
  }

  list<T>(count: number, next: () => T): T[] {
    return Array.from({ length: count }, next);
  }

  private moved(by: number): number {
    const from = this.at;
    this.at += by;
    return from;
  }
}
