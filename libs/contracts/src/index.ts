import type { MessageClass } from '@callsheet/messaging';
import { SendEmail } from './email.messages.js';
import { DeliverWebhook } from './webhook.messages.js';

// Messages
export { SendEmail, DeliverWebhook };

/** Every message of this application, for `CallsheetModule.forRoot({ messages })`. */
export const messages: readonly MessageClass[] = [SendEmail, DeliverWebhook];

/** Actors without messages: they only run schedules. For `CallsheetModule.forRoot({ actors })`. */
export const actors: readonly string[] = ['heartbeat'];
