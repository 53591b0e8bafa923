import { RejectError } from '@callsheet/messaging';
import type { NodemailerError } from 'nodemailer';
import { excerpt } from '../excerpt.js';

/** What a mail server said against one recipient of a mail. */
export interface Refusal {
  recipient: string;
  /** Enhanced status code (RFC 3463). */
  status: string;
  /** Whether it would say so again: 5xx. */
  permanent: boolean;
  /** Its answer, at most 200 characters. */
  diagnostic: string;
}

/** A mail server refused a mail for good, for all of its recipients or for some. */
export class MailRefusedError extends RejectError {
  override readonly code = 'mail_refused';

  constructor(
    message: string,
    readonly refusals: readonly Refusal[],
    /** Whether others of its recipients have got it. */
    readonly isSent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A mail server did not take a mail now: it may later. */
export class MailDeferredError extends Error {
  override readonly name = 'MailDeferredError';
  readonly code = 'mail_deferred';

  constructor(
    message: string,
    readonly refusals: readonly Refusal[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * What it means that a mail could not be sent. A 5xx is final only when it is about the mail: one about greeting or login can be
 * mended by the operator.
 *
 * @param host of the server, for the message
 * @param recipients of the mail: an answer to its content is for all of them
 */
export function refusalOf(
  error: NodemailerError,
  host: string,
  recipients: readonly string[],
): MailRefusedError | MailDeferredError {
  const { response, responseCode = 0, command, code } = error;
  const message = response
    ? `SMTP server ${host} answered '${excerpt(response)}' to ${command}`
    : `SMTP server ${host} failed: ${excerpt(error.message)}`;
  const isFinal = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  const isOfContent = code === 'EMESSAGE' && response !== undefined;
  const refusals = isOfContent
    ? recipients.map((recipient) => toRefusal({ recipient, response }))
    : (error.rejectedErrors ?? []).map(toRefusal);
  return isFinal
    ? new MailRefusedError(message, refusals, false, { cause: error })
    : new MailDeferredError(message, refusals, { cause: error });
}

/** The mail was sent to some of its recipients. Another attempt would reach those twice, so the others do without. */
export function partialRefusal(refused: readonly AnswerTo[]): MailRefusedError {
  const refusals = refused.map(toRefusal);
  const list = refusals.map(({ recipient, diagnostic }) => `${recipient} (${diagnostic})`);
  return new MailRefusedError(
    `the mail was sent, but not to ${excerpt(list.join(', '))}`,
    refusals,
    true,
  );
}

/** What a server answered to one recipient. */
export interface AnswerTo {
  recipient?: string | undefined;
  response?: string | undefined;
}

function toRefusal({ recipient = '', response = '' }: AnswerTo): Refusal {
  const permanent = response.startsWith('5');
  return {
    recipient,
    status: enhancedCode(response) ?? (permanent ? '5.0.0' : '4.0.0'),
    permanent,
    diagnostic: excerpt(response),
  };
}

/** The enhanced status code at the beginning of an answer, `5.1.1` of `550 5.1.1 no such user`; it has the class of the reply. */
function enhancedCode(response: string): string | undefined {
  return /^([45])\d\d[ -](\1\.\d{1,3}\.\d{1,3})(?!\S)/.exec(response)?.[2];
}
