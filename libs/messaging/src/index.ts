// Messages
export {
  Message,
  type MessageClass,
  type MessageInstance,
  type MessageMeta,
  type MessageOptions,
  type MessageType,
} from './message.js';
export { MessageRegistry } from './message.registry.js';
export { LIMITS, type Json, type JsonObject } from './json.js';

// Actors
export { Actor, Handle, type ActorOptions } from './actor.decorators.js';
export { type Turn } from './turn.js';
export { type RetryOptions } from './retry.js';
export { type Priority } from './priority.js';
export { type Duration } from './duration.js';

// Sending
export { Actors, MAX_BATCH, type Receipt, type TellOptions, type Telling } from './actors.js';

// Setting up
export { CallsheetModule } from './messaging.module.js';
export { type CallsheetOptions } from './messaging.options.js';
export { launch, requireSharedStore, type LaunchOptions } from './launch.js';

// Looking inside
export {
  ENGINE,
  type ActorCounts,
  type AttemptRecord,
  type DeadLetterPlace,
  type DeadReason,
  type Engine,
  type MessageRecord,
  type MessageState,
  type ScheduleRecord,
  type ScheduleSpec,
  type StoreInfo,
} from './engine.js';
export { QUEUES, type Queues } from './queues.js';
export { SAMPLE, statisticsOf, type Percentiles, type Statistics } from './statistics.js';

// Building on actors
export { declareHandler } from './actor.decorators.js';
export { ActorHost } from './actor.host.js';

// Errors
export {
  CallsheetError,
  DeclarationError,
  IdempotencyConflictError,
  InvalidMessageError,
  LockLostError,
  OptionError,
  RejectError,
  RetryLaterError,
  StoppingError,
  StoreError,
  UnknownMessageError,
  UnknownOutcomeError,
  type Violation,
} from './messaging.errors.js';
