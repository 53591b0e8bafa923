import type { Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import { FilePages, type Format, type Part, type Records } from './file.pages.js';

/** Options of {@link ndjsonFile}. */
export interface NdjsonFileOptions {
  /** Path of the file. There need not be one yet. */
  path: string;
}

/** The longest line, bytes: longer ones are bad rows. */
const LONGEST = 1024 * 1024;
const NEWLINE = 10;
/** How much of a bad line is kept, characters. */
const KEPT = 10_000;

/**
 * Lines of a file, each a value of JSON. What is appended is read by the next run; a file that is replaced, or cut, is read from
 * its beginning: it is another one when up to 1 KiB before the place is not as it was. Empty lines are skipped, and lines that are no JSON are bad rows.
 *
 * @throws OptionError for a bad option
 */
export function ndjsonFile(options: NdjsonFileOptions): Source {
  const given = new ConnectorOptions('ndjsonFile', options, ['path']);
  return new FilePages(given.text('path'), ndjson);
}

const ndjson: Format = {
  async read(part: Part): Promise<Records> {
    const found: Records = { rows: [], bad: [], offset: part.offset };
    for await (const { line, bytes } of linesOf(part)) {
      found.offset += bytes;
      if (line.trim() !== '') take(line, bytes, found);
      if (found.rows.length + found.bad.length >= part.limit) break;
    }
    return found;
  },
};

function take(line: string, bytes: number, found: Records): void {
  if (bytes > LONGEST) {
    found.bad.push({ row: line.slice(0, KEPT), error: `a line of more than ${LONGEST} bytes` });
    return;
  }
  try {
    found.rows.push(JSON.parse(line));
  } catch (error) {
    found.bad.push({ row: line.slice(0, KEPT), error: (error as Error).message });
  }
}

/** Lines, each with how many bytes it and its end take. Of one that is too long only the beginning. */
async function* linesOf({ bytes }: Part) {
  let [parts, length, kept] = [[] as Buffer[], 0, 0];
  for await (const chunk of bytes) {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(NEWLINE, from);
      const upTo = end < 0 ? chunk.length : end + 1;
      length += upTo - from;
      if (kept < LONGEST) {
        parts.push(chunk.subarray(from, upTo));
        kept += upTo - from;
      }
      from = upTo;
      if (end < 0) break;
      yield { line: Buffer.concat(parts).toString(), bytes: length };
      [parts, length, kept] = [[], 0, 0];
    }
  }
  if (length > 0) yield { line: Buffer.concat(parts).toString(), bytes: length };
}
