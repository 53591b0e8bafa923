import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Transport } from 'nodemailer';
import type { AnswerTo } from './refusals.js';

/** What a transport tells of a mail that it took. */
export interface Delivery {
  /** Recipients that were refused although others were accepted. */
  rejectedErrors?: readonly AnswerTo[] | undefined;
}

/**
 * A nodemailer transport that writes each mail into a folder, as `<left part of its Message-ID>.eml`: to see what would
 * be sent, without a mail server. The same Message-ID overwrites; readers never see half a file.
 *
 * @param folder made when the first mail comes
 */
export function outbox(folder: string): Transport<Delivery> {
  return {
    name: 'Outbox',
    version: '1',
    send(mail, callback) {
      const name = mail.message.messageId().replace(/^<|@.*$/g, '');
      store(folder, `${name}.eml`, mail.message.createReadStream()).then(
        () => callback(null, {}),
        (error: Error) => callback(error),
      );
    },
  };
}

/** Writes a file into a folder, which is made when it is not there; readers never see half a file. */
export async function store(
  folder: string,
  name: string,
  content: NodeJS.ReadableStream | string,
): Promise<void> {
  const draft = join(folder, `.${randomUUID()}.tmp`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(draft, typeof content === 'string' ? content : await buffer(content));
    await rename(draft, join(folder, name));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
