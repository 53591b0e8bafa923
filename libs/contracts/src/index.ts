import { ROUTES, UNROUTED, type MessageClass } from '@callsheet/messaging';
import { Deposit, GetBalance, Transfer, Withdraw } from './account.messages.js';
import { SendEmail } from './email.messages.js';
import { DeliverWebhook } from './webhook.messages.js';

// Messages
export { Deposit, DeliverWebhook, GetBalance, SendEmail, Transfer, Withdraw };

/** Every message of this application, for `CallsheetModule.forRoot({ messages })`. */
export const messages: readonly MessageClass[] = [
  SendEmail,
  DeliverWebhook,
  Deposit,
  Withdraw,
  Transfer,
  GetBalance,
];

/** Actors without messages that clients send: they run schedules and pipelines, hear events, keep routes. For `CallsheetModule.forRoot({ actors })`. */
export const actors: readonly string[] = ['alerts', 'heartbeat', 'signups', ROUTES, UNROUTED];
