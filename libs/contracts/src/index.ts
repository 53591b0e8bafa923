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
import { hookTopic, WebhookReceived } from './hook.messages.js';
import {
  PUSH_PAYLOAD_BYTES,
  pushPayload,
  pushSubscription,
  pushUrgency,
  RemovePushSubscription,
  SavePushSubscription,
  SendPush,
  type PushSubscription,
} from './push.messages.js';
import { DeliverWebhook } from './webhook.messages.js';

// Messages
export {
  AttendRoom,
  Deposit,
  DeliverWebhook,
  GetBalance,
  PostChat,
  RemovePushSubscription,
  SavePushSubscription,
  SendEmail,
  SendPush,
  Transfer,
  Withdraw,
};

// Events
export { EmailBounced, hookTopic, WebhookReceived };

// Signatures of webhooks
export {
  generateSecret,
  isSigned,
  parseSecret,
  parseSecrets,
  sign,
  signatures,
} from './webhook.signature.js';

// Push
export { PUSH_PAYLOAD_BYTES, pushPayload, pushSubscription, pushUrgency };
export { type PushSubscription };

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
  SavePushSubscription,
  RemovePushSubscription,
  SendPush,
];

/** Actors without messages that clients send: they run schedules and pipelines, hear events, keep routes and rates. For `CallsheetModule.forRoot({ actors })`. */
export const actors: readonly string[] = [
  'alerts',
  'heartbeat',
  PACED_EMAIL,
  'push-device',
  'signups',
  ROUTES,
  UNROUTED,
];
