/** What to tell a person whose process has just become ready. */
export interface Readiness {
  /** Where the api listens. */
  url: string;
  /** The store in use, as a person would name it. */
  store: string;
  /** Types of the messages that can be sent. */
  types: readonly string[];
  /** From the start of the process. */
  seconds: number;
}

/** What runs where, and one command to paste. At most ten lines. */
export function welcome({ url, store, types, seconds }: Readiness): string {
  const mail = process.env.SMTP_URL
    ? 'sent through SMTP_URL'
    : `written to ${process.env.OUTBOX_DIR || './outbox'}`;
  const body = JSON.stringify({
    type: 'email.send',
    data: { to: 'ada@example.org', subject: 'Hello', text: 'It works.' },
  });
  const key = process.env.CALLSHEET_API_KEY ? ` -H "authorization: Bearer $CALLSHEET_API_KEY"` : '';
  const board =
    store === 'memory' ? 'none: the memory store has no queues to show' : `${url}/board`;
  return [
    `Callsheet is ready after ${seconds.toFixed(1)} s: api and worker in one process, on ${store}`,
    `  console    ${url}/`,
    `  messages   ${url}/v1/messages (${types.join(', ')}); e-mail is ${mail}`,
    `  actors     ${url}/v1/actors`,
    `  board      ${board}`,
    `  OpenAPI    ${url}/openapi.json`,
    `Send a message:`,
    `  curl -s ${url}/v1/messages${key} -H 'content-type: application/json' -d '${body}'`,
    '',
  ].join('\n');
}
