import { createInterface } from 'node:readline';
import { Option, type Command } from 'commander';
import { EXIT, Failure, misuse } from '../exit.js';
import { jsonGiven, streamOf, toHeader, toPriority } from '../given.js';
import type { Progress } from '../progress.js';
import { doing, segment, type Run } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';

interface SendOptions {
  id?: string;
  priority?: string | number;
  delay?: string;
  at?: string;
  ttl?: string;
  header?: Record<string, string>;
  tenant?: string;
  replace?: boolean;
  batch?: string;
}

/** Messages, and bytes of them, in one request: its body may have 1 MiB. */
const CHUNK = 500;
const CHUNK_BYTES = 700_000;

/** Options that each message of a batch has itself. */
const OF_A_MESSAGE = ['id', 'priority', 'delay', 'at', 'ttl', 'header', 'tenant', 'replace'];

/** `send`, `ask`, `publish`. */
export function addSending(program: Command, shell: Shell): void {
  withSendOptions(program.command('send'))
    .summary('send a message, or a file of them')
    .description(
      'Sends a message: its type, such as email.send, and its data as JSON, as @file.json, or - for standard input.',
    )
    .argument('[type]', 'type of the message; `callsheet actors list` shows them')
    .argument('[data]', 'JSON object, @file, or -', '{}')
    .addOption(
      new Option('--batch <file>', 'a file with a message per line (NDJSON), or -').conflicts(
        OF_A_MESSAGE,
      ),
    )
    .option('--replace', 'take the place of the waiting message with this --id')
    .action(
      doing<[type: string | undefined, data: string], SendOptions>(
        shell,
        async (run, [type, data], options) => {
          if (options.batch !== undefined) return sendBatch(run, options.batch, type);
          if (type === undefined) {
            throw misuse(
              'send needs a type',
              `for example: callsheet send email.send '{"to": ...}'`,
            );
          }
          const body = { type, data: await jsonGiven(shell, data, 'data'), ...sendBody(options) };
          const receipt = await run.api.post<Shown['Receipt']>(
            '/v1/messages',
            body,
            onceBy(options),
          );
          run.out.fields(receipt, Object.entries(receipt));
        },
      ),
    );

  withSendOptions(program.command('ask'), 'delay', 'at')
    .summary('send a message and wait for its reply')
    .description('Sends a message, waits for its handler, and shows the reply.')
    .argument('<type>', 'type of the message')
    .argument('[data]', 'JSON object, @file, or -', '{}')
    .option('--timeout <duration>', "how long to wait, at most '25s'", '10s')
    .action(
      doing<[type: string, data: string], SendOptions & { timeout: string }>(
        shell,
        async (run, [type, data], options) => {
          const { timeout } = options;
          const body = { type, data: await jsonGiven(shell, data, 'data'), ...sendBody(options) };
          const answer = await run.api.post<Shown['Answer']>(
            '/v1/messages:ask',
            { ...body, timeout },
            onceBy(options),
          );
          run.out.show(answer, () => JSON.stringify(answer.reply ?? null, undefined, 2));
        },
      ),
    );

  withSendOptions(program.command('publish'))
    .summary('publish an event to whom routes and subscriptions lead it')
    .description('Publishes an event to a topic; shows which actors get a copy.')
    .argument('<topic>', 'topic, such as orders.eu.paid')
    .argument('[data]', 'JSON object, @file, or -', '{}')
    .option('--type <type>', 'type of the event, if it is not the topic')
    .addOption(
      new Option('--unrouted <what>', 'what to do when nobody gets it').choices(['drop', 'keep']),
    )
    .action(
      doing<[topic: string, data: string], SendOptions & { type?: string; unrouted?: string }>(
        shell,
        async (run, [topic, data], options) => {
          const { type, unrouted } = options;
          const body = { data: await jsonGiven(shell, data, 'data'), ...sendBody(options) };
          const published = await run.api.post<Shown['Published']>(
            `/v1/topics/${segment(topic)}`,
            { ...body, type, unrouted },
            onceBy(options),
          );
          run.out.fields(published, [
            ['id', published.id],
            ['topic', published.topic],
            ['receivers', published.receivers.join(', ')],
            ['kept', published.kept],
          ]);
        },
      ),
    );
}

/** @param without options that the call does not have */
function withSendOptions(command: Command, ...without: string[]): Command {
  const options = [
    new Option('--id <id>', 'id of the message: sent twice, it is handled once'),
    new Option('--priority <priority>', 'critical, high, normal, low, or a number').argParser(
      toPriority,
    ),
    new Option('--delay <duration>', "not before so long from now: '10s', '2h'"),
    new Option('--at <time>', 'not before this time, ISO 8601'),
    new Option('--ttl <duration>', "give up when no attempt could be started within: '1h'"),
    new Option('--header <name=value>', 'a header; may be repeated').argParser(toHeader),
    new Option('--tenant <tenant>', 'whose it is'),
  ];
  for (const option of options) {
    if (!without.includes(option.attributeName())) command.addOption(option);
  }
  return command;
}

function sendBody({ id, priority, delay, at, ttl, header, tenant, replace }: SendOptions): object {
  return { id, priority, delay, at, ttl, headers: header, tenant, replace };
}

/** An id in the body is what makes the call one; the header would have to say the same. */
function onceBy({ id }: SendOptions): { once?: string } {
  return id === undefined ? {} : { once: '' };
}

/** Sends a file in pieces: each is taken whole or not at all, and taken once however often it is sent. */
async function sendBatch(run: Run, file: string, type: string | undefined): Promise<void> {
  if (type !== undefined) throw misuse('a batch says itself of which type its messages are');
  const progress = run.progress('messages sent');
  const receipts = sendPieces(run, file, progress);
  if (run.out.isJson) {
    await run.out.list([], receipts);
    return;
  }
  while (!(await receipts.next()).done);
}

async function* sendPieces(
  run: Run,
  file: string,
  progress: Progress,
): AsyncGenerator<Shown['Receipt']> {
  let sent = 0;
  let piece = 0;
  try {
    for await (const messages of piecesOf(run.shell, file)) {
      const { messages: receipts } = await run.api
        .post<Shown['Receipts']>(
          '/v1/messages:batch',
          { messages: messages.map(({ message }) => message) },
          { once: `${run.api.key}-${piece++}` },
        )
        .catch((error: unknown) => {
          throw explained(error, messages);
        });
      sent += receipts.length;
      progress.at(sent);
      yield* receipts;
    }
  } catch (error) {
    if (sent === 0 && piece === 0) throw error;
    const how = `to go on, send the same file again with --idempotency-key ${run.api.key}: what was taken is not taken twice`;
    run.out.note(how);
    throw run.out.isJson && error instanceof Failure ? error.hinting(how) : error;
  } finally {
    progress.end(sent);
  }
}

interface Line {
  number: number;
  message: unknown;
}

async function* piecesOf(shell: Shell, file: string): AsyncGenerator<Line[]> {
  const input = streamOf(shell, file);
  let failed: Error | undefined;
  // Heard here too, because nobody reads the lines yet when a file cannot be opened.
  input.once('error', (error) => (failed = error));
  const lines = createInterface({ input, crlfDelay: Infinity });
  let piece: Line[] = [];
  let bytes = 0;
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() === '') continue;
      const size = Buffer.byteLength(line) + 1;
      if (piece.length === CHUNK || (piece.length > 0 && bytes + size > CHUNK_BYTES)) {
        yield piece;
        [piece, bytes] = [[], 0];
      }
      piece.push({ number, message: parsedLine(line, number) });
      bytes += size;
    }
  } catch (error) {
    failed ??= error as Error;
  } finally {
    lines.close();
    input.destroy();
  }
  if (failed instanceof Failure) throw failed;
  if (failed) throw misuse(`cannot read the batch: ${failed.message}`);
  if (piece.length > 0) yield piece;
}

function parsedLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new Failure(EXIT.failed, `line ${number} is no JSON: ${(error as Error).message}`);
  }
}

/** Which line of the file it is that the API names by its place in the request. */
function explained(error: unknown, lines: readonly Line[]): unknown {
  if (!(error instanceof Failure)) return error;
  const errors = error.errors.map(({ path, message }) => ({
    path: path.replace(/^messages\/(\d+)/, (_, index) => `line ${lines[Number(index)]?.number}`),
    message,
  }));
  const { exit, message, code, hint, cause } = error;
  const text = message.replace(
    /\bmessages\/(\d+)/g,
    (_, index) => `line ${lines[Number(index)]?.number}`,
  );
  return new Failure(exit, text, {
    code,
    errors,
    hint,
    cause,
  });
}
