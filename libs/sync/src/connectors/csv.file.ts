import { CsvError, parse, type Options, type Parser } from 'csv-parse';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import { FilePages, type Format, type Part, type Records } from './file.pages.js';

/** Options of {@link csvFile}. */
export interface CsvFileOptions {
  /** Path of the file. There need not be one yet. */
  path: string;
  /** What is between two values. Default ','. */
  delimiter?: string;
  /** Names of the columns, for a file without a header. Default: its first record. */
  columns?: readonly string[];
}

/** The longest record, characters. A file with a longer one is not read further. */
const LONGEST = 1024 * 1024;
/** How much of a bad record is kept, characters. */
const KEPT = 10_000;

/**
 * Records of a CSV file (RFC 4180) as objects whose values are text. What is appended is read by the next run; a file that is
 * replaced, or cut, is read from its beginning. Records with too many or too few values are bad rows, and so is one whose quote is not
 * closed when the file has not changed for 10 s.
 *
 * @throws OptionError for a bad option
 */
export function csvFile(options: CsvFileOptions): Source<Record<string, string>> {
  const given = new ConnectorOptions('csvFile', options, ['path', 'delimiter', 'columns']);
  const delimiter = given.text('delimiter', ',');
  const columns = given.has('columns') ? given.names('columns') : undefined;
  const pages = new FilePages(given.text('path'), new Csv(delimiter, columns));
  return pages as Source<Record<string, string>>;
}

interface Parsed {
  record: Record<string, string>;
  raw: string;
  info: { bytes: number; error?: CsvError };
}

class Csv implements Format {
  constructor(
    private readonly delimiter: string,
    private readonly columns: string[] | undefined,
  ) {}

  async read({ bytes, offset, to, limit, isSettled, format }: Part): Promise<Records> {
    // At its beginning there is a header to read, maybe for the second time.
    const known = this.columns ?? (offset > 0 ? (format as string[]) : undefined);
    const found: Records = { rows: [], bad: [], offset, ...(known && { format: known }) };
    const isFull = (): boolean => found.rows.length + found.bad.length >= limit;
    const stream = Readable.from(bytes);
    const columns = known ?? ((header: string[]) => (found.format = header));
    const parser = this.parser(columns, offset === 0, ({ record, raw, info }) => {
      // The rest of what was read at once is for the next page.
      if (isFull()) return;
      if (info.error) found.bad.push({ row: raw.slice(0, KEPT), error: info.error.message });
      else found.rows.push(record);
      found.offset = offset + info.bytes;
      if (isFull()) stream.destroy();
    });
    try {
      await pipeline(stream, parser, { end: true });
    } catch (error) {
      if (isFull()) return found;
      // What follows a quote that is never closed is one record, up to the end.
      if (!(error instanceof CsvError) || error.code !== 'CSV_QUOTE_NOT_CLOSED') throw error;
      // Whoever writes it may close it yet.
      if (!isSettled) return found;
      found.bad.push({ row: `from byte ${found.offset} on`, error: error.message });
    }
    if (!isFull()) found.offset = to;
    return found;
  }

  private parser(
    columns: NonNullable<Options['columns']>,
    isFirst: boolean,
    take: (parsed: Parsed) => void,
  ): Parser {
    const parser = parse({
      delimiter: this.delimiter,
      columns,
      // What is appended has no mark of its own.
      bom: isFirst,
      info: true,
      raw: true,
      max_record_size: LONGEST,
      skip_empty_lines: true,
      // Said of each record, in its place.
      relax_column_count: true,
      relax_quotes: true,
      // Each as it is found: nothing is left in a buffer when the file turns out to be broken at its end.
      on_record(parsed: unknown) {
        take(parsed as Parsed);
        return undefined;
      },
    } as Options);
    return parser.resume();
  }
}
