import { open, type FileHandle } from 'node:fs/promises';
import type { Json } from '@callsheet/messaging';
import type { BadRow, Pull, Pulled, Source } from '../pipeline.js';

/** A last line without an end is read when the file has not changed for so long: whoever writes it may not be done, ms. */
const SETTLED = 10_000;

/** Where a page of a file begins. */
interface Place {
  /** Bytes. */
  offset: number;
  /** Which file it is: another one of the same name is read from its beginning. */
  file: string;
  /** Whatever else its format must know. */
  format?: Json;
}

/** What a format has read of a file. */
export interface Records {
  rows: unknown[];
  bad: BadRow[];
  /** Bytes up to the end of the last record. */
  offset: number;
  format?: Json;
}

/** A part of a file: of `to` on nothing is read. */
export interface Part {
  handle: FileHandle;
  offset: number;
  to: number;
  limit: number;
  format: Json | undefined;
  signal: AbortSignal;
}

/** How records stand in a file. */
export interface Format {
  /** Reads at most `limit` records; whole ones only, unless the file ends at `to` for good. */
  read(part: Part): Promise<Records>;
}

/** A file that may grow at its end, or be replaced by another. Where there is none, there is nothing to read. */
export class FilePages implements Source {
  constructor(
    private readonly path: string,
    private readonly format: Format,
  ) {}

  async pull(cursor: Json, { limit, signal }: Pull): Promise<Pulled> {
    const handle = await opened(this.path);
    if (!handle) return { rows: [], cursor, more: false };
    try {
      const { size, ino, mtimeMs } = await handle.stat();
      const known = cursor as unknown as Place | null;
      const file = String(ino);
      const isSame = known?.file === file && known.offset <= size;
      const place: Place = isSame ? known : { offset: 0, file };
      const isSettled = Date.now() - mtimeMs > SETTLED;
      const to = isSettled ? size : await lastEnd(handle, place.offset, size);
      const { offset, format } = place;
      const read =
        to > offset
          ? await this.format.read({ handle, offset, to, limit, format, signal })
          : { rows: [], bad: [], offset, format };
      const next = { offset: read.offset, file, ...(read.format && { format: read.format }) };
      return {
        rows: read.rows,
        bad: read.bad,
        cursor: next,
        more: read.rows.length + read.bad.length >= limit && read.offset < to,
      };
    } finally {
      await handle.close();
    }
  }
}

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const NEWLINE = 10;
const CHUNK = 64 * 1024;

/** Behind the last line end in a part of a file. */
async function lastEnd(handle: FileHandle, from: number, size: number): Promise<number> {
  const buffer = Buffer.alloc(CHUNK);
  for (let end = size; end > from;) {
    const start = Math.max(from, end - CHUNK);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const place = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (place >= 0) return start + place + 1;
    end = start;
  }
  return from;
}
