import { CsvError, parse, type Options, type Parser } from 'csv-parse';
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
 * replaced, or cut, is read from its beginning. Records with too many or too few values are bad rows.
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
  info: { bytes: number; columns: { name: string }[] | boolean; error?: CsvError };
}

class Csv implements Format {
  constructor(
    private readonly delimiter: string,
    private readonly columns: string[] | undefined,
  ) {}

  async read({ handle, offset, to, limit, format, signal }: Part): Promise<Records> {
    const known = this.columns ?? (format as string[] | undefined);
    const found: Records = { rows: [], bad: [], offset, ...(known && { format: known }) };
    const isFull = (): boolean => found.rows.length + found.bad.length >= limit;
    const stream = handle.createReadStream({
      start: offset,
      end: to - 1,
      autoClose: false,
      signal,
    });
    const parser = this.parser(known, offset === 0, ({ record, raw, info }) => {
      // The rest of what was read at once is for the next page.
      if (isFull()) return;
      if (info.error) found.bad.push({ row: raw.slice(0, KEPT), error: info.error.message });
      else found.rows.push(record);
      found.offset = offset + info.bytes;
      if (Array.isArray(info.columns)) found.format ??= info.columns.map(({ name }) => name);
      if (isFull()) stream.destroy();
    });
    try {
      await pipeline(stream, parser, { end: true });
    } catch (error) {
      if (isFull()) return found;
      // What follows a quote that is never closed is one record, up to the end.
      if (!(error instanceof CsvError) || error.code !== 'CSV_QUOTE_NOT_CLOSED') throw error;
      found.bad.push({ row: `from byte ${found.offset} on`, error: error.message });
    }
    if (!isFull()) found.offset = to;
    return found;
  }

  private parser(
    known: string[] | undefined,
    isFirst: boolean,
    take: (parsed: Parsed) => void,
  ): Parser {
    const parser = parse({
      delimiter: this.delimiter,
      columns: known ?? true,
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
