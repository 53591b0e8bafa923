import {
  Actor,
  declareHandler,
  OptionError,
  type Json,
  type MessageClass,
} from '@callsheet/messaging';
import { Cron, Every } from '@callsheet/scheduler';
import { Inject } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messagesOf, type PipelineMessages } from './pipeline.messages.js';
import {
  resolvePipeline,
  type DeclaredPipeline,
  type ResolvedPipeline,
} from './pipeline.options.js';
import type { PipelineOptions, PipelineParts, Sink, Source } from './pipeline.js';
import { PipelineRunner, type PipelineTurn } from './pipeline.runner.js';
import { pipelineState } from './pipeline.state.js';

const PIPELINE = Symbol('callsheet:pipeline');
const RUNNER = Symbol('callsheet:runner');
/** The method that its schedule runs. */
const SCHEDULED = 'onSchedule';
/** Rows of its journal that a pipeline keeps. */
const JOURNAL = 500;
const MOST_STATE = 512 * 1024;

/** A pipeline as Nest has made it: a source and a sink, as methods or as fields, and who runs its pages. */
type Instance = { from?: Source; to?: Sink; [RUNNER]: PipelineRunner };

/** What a class without schema may push. */
// oxlint-disable-next-line typescript/no-explicit-any
type Anything = StandardSchemaV1<unknown, any>;

/** What Nest makes an instance of may ask for any providers. */
// oxlint-disable-next-line typescript/no-explicit-any
type Constructor<T> = new (...providers: any[]) => T;

/**
 * Makes a class a data sync pipeline: a Nest provider that reads pages of rows from a source and pushes them to a sink. It is a
 * keyed actor of its own: a page is a turn, and where the next one begins is committed with it.
 *
 *     @Pipeline({ name: 'contacts', every: '10m', schema: Contact })
 *     export class ContactsSync {
 *       async pull(cursor: string | null, { limit, signal }: Pull) { return { rows, cursor, more }; }
 *       async push(contacts: Contact[], page: Page) {}
 *     }
 *
 * In place of a method a ready part can stand as a field: `from = postgresTable({ ... })`, `to = postgresUpsert({ ... })`.
 *
 * @throws OptionError at declaration for a bad option; a bad `every`, `cron`, `retry` or `timeout` too, or at start
 */
export function Pipeline<S extends StandardSchemaV1 = Anything>(
  options: PipelineOptions<S> = {},
): <T extends Constructor<PipelineParts<StandardSchemaV1.InferOutput<S>>>>(target: T) => void {
  return (target) => {
    const resolved = resolvePipeline(target.name, options);
    const { name, retry } = resolved;
    const state = { schema: pipelineState, maxBytes: MOST_STATE };
    Actor({ name, state, retry: retry ?? {}, journal: { keep: JOURNAL } })(target);
    Reflect.defineMetadata(PIPELINE, resolved, target);
    Inject(PipelineRunner)(target.prototype as object, RUNNER);
    for (const handler of handlersOf(messagesOf(name))) add(target, resolved, handler);
    addSchedule(target, resolved);
  };
}

/** Options of a class with `@Pipeline`; undefined for another one. */
export function pipelineOf(target: object): ResolvedPipeline | undefined {
  return Reflect.getMetadata(PIPELINE, target) as ResolvedPipeline | undefined;
}

/** A pipeline with its source and its sink. @throws OptionError when it lacks one of them */
export function declared(
  { name, page, schema }: ResolvedPipeline,
  instance: object,
): DeclaredPipeline {
  const { from, to } = instance as Instance;
  return {
    name,
    page,
    ...(schema && { schema }),
    source: having<Source>(from ?? instance, 'pull', `pipeline '${name}' from`),
    sink: having<Sink>(to ?? instance, 'push', `pipeline '${name}' to`),
  };
}

function having<T>(part: object, method: string, path: string): T {
  if (typeof (part as Record<string, unknown>)[method] === 'function') return part as T;
  throw new OptionError(path, `must be a part with ${method}(), or the class must have the method`);
}

/** How a pipeline handles one of its messages. */
interface Handler {
  message: MessageClass;
  /** Whether it may take as long as a page. */
  isLong?: boolean;
  run: (
    runner: PipelineRunner,
    pipeline: DeclaredPipeline,
    message: never,
    turn: PipelineTurn,
  ) => unknown;
}

function handlersOf({
  StartRun,
  NextPage,
  StartWaiting,
  TakeRow,
  Pause,
  Resume,
  Reset,
}: PipelineMessages): Handler[] {
  type Start = InstanceType<typeof StartRun>;
  type Row = InstanceType<typeof TakeRow>;
  const handlers: Handler[] = [
    { message: StartRun, run: (runner, own, m: Start, turn) => runner.start(own, m, turn) },
    { message: NextPage, isLong: true, run: (runner, own, _, turn) => runner.page(own, turn) },
    { message: StartWaiting, run: (runner, own, _, turn) => runner.startWaiting(own, turn) },
    {
      message: TakeRow,
      isLong: true,
      run: (runner, own, m: Row, turn) => runner.row(own, m, turn),
    },
    {
      message: Pause,
      run: (runner, own, { reason }: { reason: string }, turn) => runner.pause(own, reason, turn),
    },
    { message: Resume, run: (runner, own, _, turn) => runner.resume(own, turn) },
    {
      message: Reset,
      run: (runner, own, { cursor }: { cursor: Json }, turn) => runner.reset(own, cursor, turn),
    },
  ];
  return handlers;
}

/** Gives the class a method for a message, under a name that nobody writes. */
function add(target: Constructor<object>, resolved: ResolvedPipeline, handler: Handler): void {
  const { message, isLong, run } = handler;
  const method = `callsheet:${message.meta.type}`;
  define(target, method, function (this: Instance, data, turn) {
    return run(this[RUNNER], declared(resolved, this), data as never, turn);
  });
  const { timeout } = resolved;
  declareHandler(target.prototype as object, {
    kind: 'handle',
    handles: message,
    method,
    ...(isLong && timeout !== undefined && { timeout }),
  });
}

function addSchedule(target: Constructor<object>, resolved: ResolvedPipeline): void {
  const { name, every, cron, tz } = resolved;
  if (every === undefined && cron === undefined) return;
  if (SCHEDULED in target.prototype) {
    throw new OptionError(`@Pipeline ${target.name}`, `has a method of its own named ${SCHEDULED}`);
  }
  define(target, SCHEDULED, function (this: Instance) {
    return this[RUNNER].scheduled(declared(resolved, this));
  });
  const options = { name: `${name}.run`, tags: ['sync'] };
  const decorate =
    cron === undefined
      ? Every(every ?? '1m', options)
      : Cron(cron, { ...options, ...(tz !== undefined && { tz }) });
  decorate(target.prototype as object, SCHEDULED, {});
}

function define(
  target: Constructor<object>,
  method: string,
  value: (this: Instance, message: unknown, turn: PipelineTurn) => unknown,
): void {
  Object.defineProperty(target.prototype, method, { value, configurable: true });
}
