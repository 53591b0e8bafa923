import {
  AskFailedError,
  AskTimeoutError,
  CallsheetError,
  CancelledError,
  IdempotencyConflictError,
  InvalidMessageError,
  MailboxFullError,
  MessageActiveError,
  NewerVersionError,
  OptionError,
  StoppingError,
  StoreError,
  StoreFullError,
  UnknownMessageError,
  UnknownOutcomeError,
  UnreadableError,
} from '@callsheet/messaging';
import {
  DeclaredScheduleError,
  ScheduleChangedError,
  ScheduleExistsError,
  TooManyBackfillsError,
} from '@callsheet/scheduler';
import { PipelinePausedError, TooManyRunsError } from '@callsheet/sync';
import { HttpException } from '@nestjs/common';
import { etagOf } from './change.condition.js';
import { ProblemError, type ProblemCode } from './problem.js';

/** An error about a message that is a part of the body. */
export class ElementError extends Error {
  /** @param place where in the body it stands, ends in `/` */
  constructor(
    readonly place: string,
    override readonly cause: CallsheetError,
  ) {
    super(cause.message, { cause });
  }
}

const FASTIFY: Record<string, readonly [ProblemCode, detail: string]> = {
  FST_ERR_BAD_URL: ['malformed_url', 'the path has a percent sign that encodes nothing'],
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'too_large',
    'the body is larger than 1 MiB, or that of a webhook than 256 KiB; send less at a time',
  ],
  FST_ERR_CTP_EMPTY_TYPE: ['unsupported_media_type', 'send application/json'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'send application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'bad_request',
    'the body is not as long as content-length says',
  ],
  FST_ERR_HANDLER_TIMEOUT: [
    'timeout',
    'the store did not answer in time; whatever was sent, send it again with the same id',
  ],
  FST_ERR_MAX_PARAM_LENGTH: ['uri_too_long', 'a part of the path is too long'],
};

/** The answer to any error. What is not known becomes `internal`, with nothing of the error in it. */
export function problemFrom(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof ElementError) {
    return fromCallsheet(error.cause, error.place) ?? internal(error);
  }
  if (error instanceof CallsheetError) return fromCallsheet(error, '') ?? internal(error);
  return fromHttp(error) ?? internal(error);
}

/** @param at where in the body the message stands: empty or ends in `/` */
function fromCallsheet(error: CallsheetError, at: string): ProblemError | undefined {
  const cause = error;
  if (error instanceof InvalidMessageError) {
    const errors = error.violations.map(({ path, message }) => ({
      path: path ? `${at}data/${path}` : `${at}data`,
      message,
    }));
    return new ProblemError('invalid_message', error.message, { errors, cause });
  }
  if (error instanceof OptionError) {
    const path = at + bodyPath(error.path);
    const errors = [{ path, message: error.problem }];
    const detail = path ? `${path} ${error.problem}` : error.problem;
    return new ProblemError('invalid_option', detail, { errors, cause });
  }
  if (error instanceof UnknownMessageError) {
    const errors = [{ path: `${at}type`, message: 'is not a registered message' }];
    const detail = `no message of type '${error.type}' is registered; see /v1/actors for those that are`;
    return new ProblemError('unknown_message', detail, { errors, cause });
  }
  if (error instanceof IdempotencyConflictError) {
    const errors = [{ path: `${at}id`, message: 'was used for another body' }];
    return new ProblemError('idempotency_conflict', error.message, { errors, cause });
  }
  if (error instanceof MessageActiveError) {
    const errors = [{ path: `${at}id`, message: 'is in work' }];
    return new ProblemError('message_active', error.message, { errors, cause });
  }
  if (error instanceof ScheduleExistsError) {
    const errors = [{ path: `${at}id`, message: 'is that of another schedule' }];
    return new ProblemError('schedule_exists', error.message, { errors, cause });
  }
  if (error instanceof DeclaredScheduleError) {
    return new ProblemError('declared_schedule', error.message, { cause });
  }
  if (error instanceof ScheduleChangedError) {
    const { revision, message } = error;
    return new ProblemError('precondition_failed', message, {
      cause,
      ...(revision !== undefined && { headers: { etag: etagOf(revision) } }),
    });
  }
  if (error instanceof TooManyBackfillsError) {
    const headers = { 'retry-after': '60' };
    return new ProblemError('too_many_backfills', error.message, { headers, cause });
  }
  if (error instanceof PipelinePausedError) {
    return new ProblemError('pipeline_paused', error.message, { cause });
  }
  if (error instanceof TooManyRunsError) {
    const headers = { 'retry-after': '60' };
    return new ProblemError('too_many_runs', error.message, { headers, cause });
  }
  if (error instanceof MailboxFullError) {
    const headers = { 'retry-after': '5' };
    return new ProblemError('mailbox_full', error.message, { headers, cause });
  }
  if (error instanceof AskFailedError) {
    const detail = `${error.reason}: ${error.error.code ?? error.error.name}: ${error.message}`;
    return new ProblemError('ask_failed', detail, { cause });
  }
  if (error instanceof NewerVersionError) {
    const errors = [{ path: `${at}data`, message: error.message }];
    return new ProblemError('invalid_message', error.message, { errors, cause });
  }
  if (error instanceof StoppingError) {
    const detail = 'the service is stopping; ask again with the same id';
    return new ProblemError('not_ready', detail, { headers: { 'retry-after': '1' }, cause });
  }
  if (error instanceof CancelledError) {
    return new ProblemError('cancelled', error.message, { cause });
  }
  if (error instanceof AskTimeoutError) {
    return new ProblemError('ask_timeout', error.message, {
      headers: { 'retry-after': '1' },
      cause,
    });
  }
  if (error instanceof UnknownOutcomeError) {
    const detail =
      'the store did not answer: the message may or may not be stored; send it again with the same id';
    return new ProblemError('unknown_outcome', detail, { headers: { 'retry-after': '1' }, cause });
  }
  if (error instanceof UnreadableError) {
    return new ProblemError('unreadable', error.message, { cause });
  }
  if (error instanceof StoreFullError) {
    const detail = 'the store is nearly full, and nothing was sent; send it again later';
    return new ProblemError('store_full', detail, { headers: { 'retry-after': '5' }, cause });
  }
  if (error instanceof StoreError) {
    const detail = 'the store cannot be used at the moment; try again';
    return new ProblemError('store_unusable', detail, { headers: { 'retry-after': '5' }, cause });
  }
  return undefined;
}

/**
 * The path of an option as the body has it: `3.headers.x.y` is `messages/3/headers/x.y`, `exclude[0].days` is
 * `exclude/0/days`.
 */
function bodyPath(path: string): string {
  const [, index, rest = ''] = /^(?:(\d+)\.)?(.*)$/s.exec(path) ?? [];
  const place = index === undefined ? '' : `messages/${index}/`;
  // The name of a header may have any character.
  if (rest.startsWith('headers.')) return place + rest.replace('.', '/');
  return place + rest.replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/');
}

/** Errors of Nest and Fastify about the request itself. Nest wraps those of Fastify and keeps them as cause. */
function fromHttp(error: unknown): ProblemError | undefined {
  const original = error instanceof HttpException && error.cause ? error.cause : error;
  const known = FASTIFY[(original as { code?: string } | undefined)?.code ?? ''];
  if (known) return new ProblemError(...known);
  const status =
    error instanceof HttpException
      ? error.getStatus()
      : (error as { statusCode?: unknown } | undefined)?.statusCode;
  if (status === 404) return new ProblemError('not_found', 'no such route');
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return new ProblemError('bad_request', (error as Error).message, { cause: error });
}

function internal(cause: unknown): ProblemError {
  return new ProblemError('internal', 'the error was logged; try again later', { cause });
}
