import { constants, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { EmailAttachment } from '@callsheet/contracts';
import { RejectError } from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import { digestOf } from '../digest.js';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { isFinal, reasonOf, withoutQuery } from '../outbound/post.js';
import { Settings } from '../settings.js';

/** A file as it goes into a mail. */
export interface MailFile {
  filename: string;
  content: Buffer;
  contentType?: string;
  cid?: string;
}

/** The most bytes of one file, and of all files of a mail: 10 MB and 20 MB. Many servers take no more. */
export const FILE_LIMIT = 10_000_000;
export const MAIL_LIMIT = 20_000_000;
/** How long all files of a mail that come over HTTP may take, ms. */
const FETCH_TIMEOUT = 30_000;

/** Where the bytes of a file come from, and what to call it in an error. */
interface Source {
  name: string;
  chunks: AsyncIterable<Uint8Array>;
}

/** Gets what the attachments of a mail name: files of a folder (`MAIL_ATTACHMENTS`), and what is behind URLs. */
@Injectable()
export class MailAttachments {
  constructor(
    private readonly settings: Settings,
    private readonly guarded: GuardedFetch,
  ) {}

  /**
   * Reads them one after the other.
   *
   * @throws RejectError for what another attempt will not change: no such file, one outside of the folder, a URL that may not be
   *   reached or answers 3xx or 4xx (but 408, 425, 429), other content than `sha256` says, too many bytes
   * @throws Error for what may be there later: 5xx, no answer in time, a file that cannot be read
   * @throws the reason of `signal` when it aborts
   */
  async load(
    attachments: readonly EmailAttachment[],
    signal: AbortSignal,
  ): Promise<readonly MailFile[]> {
    const files: MailFile[] = [];
    let left = MAIL_LIMIT;
    const timeout = AbortSignal.timeout(FETCH_TIMEOUT);
    for (const { filename, ref, sha256, contentType, cid } of attachments) {
      signal.throwIfAborted();
      const content = isUrl(ref)
        ? await this.fetched(ref, left, signal, timeout)
        : await this.read(ref, left);
      left -= content.byteLength;
      if (sha256 !== undefined && sha256 !== digestOf(content)) {
        throw new RejectError(
          `attachment ${isUrl(ref) ? withoutQuery(ref) : ref} is not the file that its sha256 names`,
        );
      }
      files.push({ filename, content, ...(contentType && { contentType }), ...(cid && { cid }) });
    }
    return files;
  }

  private async read(ref: string, left: number): Promise<Buffer> {
    const name = `attachment ${ref}`;
    try {
      const folder = await realpath(this.settings.mailAttachments);
      // Links that stay in the folder are followed. What is opened has none in it any more.
      const path = await realpath(join(folder, ref));
      if (!path.startsWith(folder + sep)) {
        throw new RejectError(`${name} is outside of the folder MAIL_ATTACHMENTS`);
      }
      // Opening a pipe would wait for who writes into it.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await file.stat()).isFile()) throw new RejectError(`${name} is no file`);
        const chunks = file.createReadStream({ autoClose: false });
        return await bounded({ name, chunks }, left);
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw new RejectError(`${name} is not in the folder MAIL_ATTACHMENTS`, { cause: error });
    }
  }

  private async fetched(
    ref: string,
    left: number,
    signal: AbortSignal,
    timeout: AbortSignal,
  ): Promise<Buffer> {
    const name = `attachment ${withoutQuery(ref)}`;
    const both = AbortSignal.any([signal, timeout]);
    try {
      const { ok, status, body } = await this.guarded.fetch(ref, { signal: both });
      if (ok && body) return await bounded({ name, chunks: body }, left);
      await body?.cancel();
      if (ok) return Buffer.alloc(0);
      if (isFinal(status)) throw new RejectError(`${name} was answered with ${status}`);
      throw new Error(`it was answered with ${status}`);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof RejectError) throw cause;
      const late = `the files of the mail took longer than ${FETCH_TIMEOUT} ms`;
      const reason = timeout.aborted ? late : reasonOf(cause);
      throw new Error(`${name} could not be had: ${reason}`, { cause });
    }
  }
}

/** Stops reading, and so closes the source, as soon as it is too much. */
async function bounded({ name, chunks }: Source, left: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > FILE_LIMIT) throw new RejectError(`${name} has more than ${FILE_LIMIT} bytes`);
    if (size > left) {
      throw new RejectError(
        `the attachments have more than ${MAIL_LIMIT} bytes in all, at ${name}`,
      );
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function isUrl(ref: string): boolean {
  return /^https?:/i.test(ref);
}
