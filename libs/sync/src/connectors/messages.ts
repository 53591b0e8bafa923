import {
  IdempotencyConflictError,
  InvalidMessageError,
  type MessageInstance,
  type TellOptions,
} from '@callsheet/messaging';
import type { Page, Sink } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';

/** Options of {@link messages}. */
export interface MessagesOptions<R> {
  /** The message that a row becomes; undefined: none. One that is not valid makes the row a dead letter. */
  message: (row: R) => MessageInstance | undefined;
  /**
   * How it is sent. An `id` of the row's own makes it one message, however often the row comes; a row that comes with an id that was used
   * for another message is a dead letter. Where what has changed is to be sent again, have it in the id. Default: as any message.
   */
  send?: (row: R) => Omit<TellOptions, 'now' | 'tx'>;
}

/**
 * Sends a message for each row. All of a page are stored in one step with its cursor, on every store: each once.
 *
 * @throws OptionError for a bad option
 */
export function messages<R>(options: MessagesOptions<R>): Sink<R> {
  const given = new ConnectorOptions('messages', options, ['message', 'send']);
  const make = given.method<MessagesOptions<R>['message']>('message');
  const send = given.has('send')
    ? given.method<NonNullable<MessagesOptions<R>['send']>>('send')
    : undefined;
  return {
    async push(rows: R[], page: Page): Promise<void> {
      for (const row of rows) {
        try {
          const message = make(row);
          if (message) await page.tell(message, send?.(row));
        } catch (error) {
          const isOfTheRow =
            error instanceof InvalidMessageError || error instanceof IdempotencyConflictError;
          if (!isOfTheRow) throw error;
          page.reject(row, error.message);
        }
      }
    },
  };
}
