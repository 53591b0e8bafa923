import { ROUTES, UNROUTED, type MessageClass } from '@callsheet/messaging';
import { Deposit, GetBalance, Transfer, Withdraw } from './account.messages.js';
import {
  AttendRoom,
  chatText,
  PostChat,
  PRESENCE,
  roomMessage,
  roomName,
  roomSignal,
  RoomState,
  userName,
  type RoomMessage,
} from './chat.messages.js';
import {
  email,
  EmailBounced,
  mailSubject,
  PACED_EMAIL,
  SendEmail,
  type Email,
  type EmailAttachment,
} from './email.messages.js';
import { DeliverWebhook } from './webhook.messages.js';

// Messages
export { AttendRoom, Deposit, DeliverWebhook, GetBalance, PostChat, SendEmail, Transfer, Withdraw };

// Events
export { EmailBounced };

// Email
export { email, mailSubject, PACED_EMAIL, type Email, type EmailAttachment };

// Rooms
export { chatText, PRESENCE, roomMessage, roomName, roomSignal, RoomState, userName };
export { type RoomMessage };

/** Every message of this application, for `CallsheetModule.forRoot({ messages })`. */
export const messages: readonly MessageClass[] = [
  SendEmail,
  DeliverWebhook,
  Deposit,
  Withdraw,
  Transfer,
  GetBalance,
  PostChat,
  AttendRoom,
];

/** Actors without messages that clients send: they run schedules and pipelines, hear events, keep routes and rates. For `CallsheetModule.forRoot({ actors })`. */
export const actors: readonly string[] = [
  'alerts',
  'heartbeat',
  PACED_EMAIL,
  'signups',
  ROUTES,
  UNROUTED,
];
