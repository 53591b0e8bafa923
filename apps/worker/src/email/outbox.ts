import type { Transport } from 'nodemailer';
import { storeFile } from '../store.file.js';
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
      storeFile(folder, `${name}.eml`, mail.message.createReadStream()).then(
        () => callback(null, {}),
        (error: Error) => callback(error),
      );
    },
  };
}
