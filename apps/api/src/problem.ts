import type { Violation } from '@callsheet/messaging';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { schemas } from './schema.registry.js';

/** Every problem the API answers with: its stable code, the status and the title that go with it. */
export const PROBLEMS = {
  malformed_json: [400, 'The body is not JSON'],
  forbidden_key: [400, 'The body has a key that is not allowed'],
  malformed_url: [400, 'The URL is not well-formed'],
  bad_request: [400, 'The request cannot be read'],
  unauthorized: [401, 'Credentials are needed'],
  bad_signature: [401, 'The signature does not hold'],
  forbidden: [403, 'This is not permitted'],
  cross_site: [403, 'Requests from other sites are refused'],
  not_found: [404, 'There is nothing here'],
  unknown_source: [404, 'No webhooks are taken from there'],
  method_not_allowed: [405, 'The method is not allowed here'],
  request_timeout: [408, 'The request took too long to arrive'],
  idempotency_conflict: [409, 'The id was used for another body'],
  key_changed: [409, 'The key was changed meanwhile'],
  message_active: [409, 'The message is in work'],
  message_ended: [409, 'The message has ended'],
  schedule_exists: [409, 'There is such a schedule'],
  declared_schedule: [409, 'The schedule is declared in code'],
  run_skipped: [409, 'A run is in work'],
  pipeline_paused: [409, 'The pipeline is paused'],
  precondition_failed: [412, 'The precondition does not hold'],
  too_large: [413, 'The body is too large'],
  uri_too_long: [414, 'The URL is too long'],
  unsupported_media_type: [415, 'Only application/json is accepted'],
  misdirected: [421, 'The request is for another host'],
  invalid_body: [422, 'The body is not valid'],
  invalid_query: [422, 'The query is not valid'],
  invalid_message: [422, 'The message is not valid'],
  invalid_option: [422, 'An option is not valid'],
  unknown_message: [422, 'The message type is not known'],
  ask_failed: [422, 'The message became a dead letter'],
  cancelled: [422, 'The message was cancelled'],
  upgrade_required: [426, 'Another protocol is needed'],
  mailbox_full: [429, 'The mailbox is full'],
  too_many_attempts: [429, 'Too many wrong credentials'],
  too_many_requests: [429, 'Requests come too fast'],
  too_many_api_keys: [429, 'Enough API keys are there'],
  too_many_webhooks: [429, 'Webhooks come too fast'],
  too_many_backfills: [429, 'Enough backfills are under way'],
  too_many_runs: [429, 'Enough runs wait'],
  headers_too_large: [431, 'The headers are too large'],
  internal: [500, 'Something went wrong here'],
  identity_provider: [503, 'The identity provider does not answer'],
  unreadable: [500, 'What is stored cannot be read here'],
  not_ready: [503, 'The service is not ready'],
  too_many_streams: [503, 'Enough streams of events are open'],
  timeout: [503, 'The answer took too long'],
  store_full: [503, 'The store is full'],
  store_unusable: [503, 'The store cannot be used'],
  unknown_outcome: [503, 'The outcome is not known'],
  ask_timeout: [504, 'No reply came in time'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The body of every error: RFC 9457 problem details, with a stable code and the fields at fault. */
export const problem = z
  .object({
    type: z.string().describe('URN of the kind of problem; ends in the code'),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().describe('what is wrong with this request and what to do'),
    errors: z
      .array(
        z.object({
          path: z.string().describe('the field, `/` separated; empty for the whole'),
          message: z.string(),
        }),
      )
      .optional()
      .describe('the first ten fields at fault'),
  })
  .register(schemas, { id: 'Problem' });
export type Problem = z.infer<typeof problem>;

/** The media type of {@link Problem}. */
export const PROBLEM_TYPE = 'application/problem+json';

const LONGEST_TEXT = 500;
const MOST_ERRORS = 10;

/** Thrown anywhere in the API: answers with this problem. */
export class ProblemError extends Error {
  readonly errors: readonly Violation[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail a sentence that says what to do; never shows what must not leave the process */
  constructor(
    readonly code: ProblemCode,
    detail: string,
    options: {
      errors?: readonly Violation[];
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }

  /** What goes on the wire. Long texts are cut: some repeat what the client sent. */
  toProblem(): Problem {
    const [status, title] = PROBLEMS[this.code];
    const errors = this.errors?.slice(0, MOST_ERRORS).map(({ path, message }) => ({
      path: shorten(path),
      message: shorten(message),
    }));
    return {
      type: `urn:callsheet:problem:${this.code}`,
      title,
      status,
      code: this.code,
      detail: shorten(this.message),
      ...(errors && { errors }),
    };
  }
}

/** Answers a request with a problem; does nothing when it was answered already. */
export function sendProblem(reply: FastifyReply, error: ProblemError): FastifyReply {
  if (reply.sent) return reply;
  return reply
    .code(error.status)
    .headers(error.headers)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(error.toProblem()));
}

function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
