// Messages
export {
  Message,
  type MessageClass,
  type MessageInstance,
  type MessageMeta,
  type MessageOptions,
  type MessageType,
  type ReplyInput,
  type ReplyOf,
} from './message.js';
export { MessageRegistry } from './message.registry.js';
export { jsonSchemaOf, replyJsonSchemaOf } from './message.json.schema.js';
export { LIMITS, type Json, type JsonObject } from './json.js';
export { encode, type Carried, violations } from './codec.js';

// Actors
export {
  Actor,
  Handle,
  On,
  Read,
  type ActorOptions,
  type BatchOptions,
  type HandleOptions,
  type OnOptions,
} from './actor.decorators.js';
export { type StateOptions } from './actor.state.js';
export { type Upcast } from './versions.js';
export { type Turn } from './turn.js';
export { currentTurn, outsideTurn } from './turn.scope.js';
export { TurnContext } from './turn.context.js';
export { type ActorRetryOptions, type Backoff, type RetryOptions } from './retry.js';
export { type Directive, type ErrorClass, type Supervision } from './supervision.js';
export { toPriority, type Priority } from './priority.js';
export { toMilliseconds, type Duration } from './duration.js';

// Sending
export {
  Actors,
  MAX_BATCH,
  type AskOptions,
  type Publication,
  type Receipt,
  type Telling,
} from './actors.js';
export { type ActorRef } from './actor.ref.js';
export { type PublishOptions, type SendOptions, type TellOptions } from './sealing.js';
export { type GatherOptions, type Gathering } from './routing/gathering.js';
export { type TopicEvent } from './routing/topic.event.js';

// Routing
export { Routes, type RouteAudit, type RouteTest } from './routing/routes.js';
export { type Subscriber } from './routing/router.js';
export { RoutesActor } from './routing/routes.actor.js';
export {
  type RouteChange,
  type RoutePut,
  type RouteRecord,
  type RouteRemoval,
} from './routing/routes.messages.js';
export { type Receiver, type Route, type Subscription } from './routing/route.js';
export { ROUTES, UNROUTED } from './routing/own.actors.js';
export { UnroutedActor } from './routing/unrouted.actor.js';

// Keys
export {
  Keys,
  type JournalOptions,
  type KeyListOptions,
  type StateListOptions,
  type StateOf,
} from './keys.js';

// Signals
export { Signals } from './signals.js';

// What happens, for people who look on
export { Happenings, type Details, type Happening } from './happenings.js';
export { Activity } from './telemetry/activity.js';
export { ActivityTally, type ActorActivity } from './telemetry/activity.tally.js';
export { Latencies, type LatencyCounts } from './latencies.js';

// Pauses for all processes
export { Pauses, type Pause } from './pauses.js';

// Dead letters
export {
  DeadLetters,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterGrouping,
  type DeadLetterPage,
  type RedriveOptions,
  type RedrivenLetters,
} from './dead.letters.js';
export { DeadLetterAdded, OnDeadLetter, type DeadLetterNotice } from './dead.letter.event.js';

// Setting up
export { CallsheetModule, storeRelease } from './messaging.module.js';
export { type CallsheetOptions, type EncryptionOptions } from './messaging.options.js';
export { hostNameOf, isLoopback } from './loopback.js';
export { encryptionOf, launch, requireSharedStore, type LaunchOptions } from './launch.js';

// Searching
export { tenantTerm, termOf } from './search.term.js';

// Encryption
export { KeyRing } from './encryption/key.ring.js';
export { Encryption } from './encryption/encryption.js';
export { type RotationReport } from './encryption/rotation.js';
export { readable, unreadable } from './encryption/encrypted.js';

// Looking inside
export { type Stop } from './stop.js';
export {
  ENGINE,
  type ActorCounts,
  type AttemptRecord,
  type Cancellation,
  type Delivery,
  type DeadLetterPlace,
  type DeadReason,
  type Engine,
  type Transaction,
  type JournalRow,
  type KeyOrder,
  type KeyPage,
  type KeyRecord,
  type KeyState,
  type MessageListing,
  type MessagePage,
  type MessagePlace,
  type SearchPage,
  type SearchPlace,
  type SearchResult,
  type Sent,
  type MessageRecord,
  type MessageState,
  type QuarantinedKey,
  type Signal,
  type StoreInfo,
  type StoredState,
} from './engine.js';
export { hasEnded } from './ended.js';
export { actorBindingOf, type ActorBinding } from './routing/actor.binding.js';
export { MOST_BEFORE, QUEUES, type ActorQueue, type KeyedJob, type Queues } from './queues.js';
export { redact, SECRET, type Secrecy } from './telemetry/redaction.js';
export { METRICS, type MetricCounter, type Metrics } from './telemetry/metrics.js';
export { SAMPLE, statisticsOf, type Percentiles, type Statistics } from './statistics.js';

// Building on actors
export { declareHandler } from './actor.decorators.js';
export { ActorHost } from './actor.host.js';
export { CLOCK, type Clock } from './clock.js';
export { CLOCK_SKEW, skewOf, type ClockReading } from './clock.skew.js';
export {
  isKnown,
  isMissed,
  KnownInForce,
  MOST_RELEASES,
  prevails,
  RELEASE_BEAT,
  ReleaseWatch,
  type InForce,
  type Standing,
} from './release.js';
export { type EndNotice } from './end.notice.js';
export { fingerprintOf, isGeneratedId, storageId, type NotifyTarget } from './envelope.js';
export { sealMessage, type SealedMessage } from './sealed.message.js';
export { type ForwardOptions } from './sealing.js';

// Errors
export {
  AskFailedError,
  AskTimeoutError,
  CallsheetError,
  CancelledError,
  DeclarationError,
  IdempotencyConflictError,
  InvalidMessageError,
  InvalidReplyError,
  InvalidStateError,
  LockLostError,
  MailboxFullError,
  TurnSqlError,
  MessageActiveError,
  NewerVersionError,
  OptionError,
  PauseError,
  PostponeError,
  QuarantineError,
  RejectError,
  RetryLaterError,
  StateTooLargeError,
  StoppingError,
  StoreError,
  StoreFullError,
  TurnEndedError,
  TurnTimeoutError,
  TurnUsageError,
  UnknownMessageError,
  UnknownOutcomeError,
  UnreadableError,
  type Violation,
} from './messaging.errors.js';
