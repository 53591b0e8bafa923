import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { Json } from '@callsheet/messaging';
import type { BadRow, Pull, Pulled, Source } from '../pipeline.js';

/** A last line without an end is read when the file has not changed for so long: whoever writes it may not be done, ms. */
const SETTLED = 10_000;

/** A file of the same name is another one when other bytes are before the place: so many, at most. */
const REMEMBERED = 1024;

/** Where a page of a file begins. */
interface Place {
  /** Bytes. */
  offset: number;
  /** Which file it is: another one of the same name is read from its beginning. */
  file: string;
  /** Digest of the bytes before the place: a file that was written anew may have the same number. */
  before: string;
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
  /** From `offset` to `to`. */
  bytes: AsyncIterable<Buffer>;
  offset: number;
  to: number;
  limit: number;
  /** Whether the file ends at `to` for good, as far as one can tell: what is begun there and has no end is bad. */
  isSettled: boolean;
  format: Json | undefined;
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
      const isSame =
        known?.file === file && known.before === (await digestBefore(handle, known.offset));
      const { offset, format } = isSame ? known : { offset: 0 };
      const isSettled = Date.now() - mtimeMs > SETTLED;
      const to = isSettled ? size : await lastEnd(handle, offset, size);
      const bytes = bytesOf(handle, offset, to, signal);
      const part: Part = { bytes, offset, to, limit, isSettled, format };
      const read =
        to > offset ? await this.format.read(part) : { rows: [], bad: [], offset, format };
      const next: Place = {
        offset: read.offset,
        file,
        before: await digestBefore(handle, read.offset),
        ...(read.format !== undefined && { format: read.format }),
      };
      return {
        rows: read.rows,
        bad: read.bad,
        cursor: next as unknown as Json,
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

/** Of what is before a place in a file. Of a file that is shorter it is another one. */
async function digestBefore(handle: FileHandle, offset: number): Promise<string> {
  const start = Math.max(0, offset - REMEMBERED);
  const buffer = Buffer.alloc(offset - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  return createHash('sha256')
    .update(buffer.subarray(0, bytesRead))
    .digest('base64url')
    .slice(0, 22);
}

const NEWLINE = 10;
const CHUNK = 64 * 1024;

async function* bytesOf(
  handle: FileHandle,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (let at = from; at < to;) {
    signal.throwIfAborted();
    const buffer = Buffer.alloc(Math.min(CHUNK, to - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    // It was cut meanwhile.
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

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
