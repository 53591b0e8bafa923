import { OptionError } from '../messaging.errors.js';
import { ExplorationError } from './exploration.error.js';
import { ExploredDirection, type CrashPlan } from './explored.direction.js';
import { TestCallsheet } from './test.callsheet.js';
import { buildModule, type TestCallsheetOptions } from './test.module.js';

/** Options of {@link explore}. */
export interface ExploreOptions extends TestCallsheetOptions {
  /** How many orders of events to try. Default 100. */
  seeds?: number;
  /** The first seed. Default 1. */
  from?: number;
  /** Only this one: replays what it did. The environment variable CALLSHEET_SEED does the same. */
  seed?: number;
  /**
   * Where the process dies now and then: before and after commits, or at every step of a turn. All turns at work are over
   * then, and their messages are given out again, as after a kill. Default false: nowhere.
   */
  crash?: CrashPlan;
  /** The most deaths while one message is in work. Default 4: more than 5 make it a dead letter. */
  crashes?: number;
  /** The most turns in one drain, more are an error. Default 10,000. */
  turns?: number;
}

const FIELDS = new Set<string>([
  'seeds',
  'from',
  'seed',
  'crash',
  'crashes',
  'turns',
  'imports',
  'providers',
  'controllers',
  'now',
  'override',
] satisfies (keyof ExploreOptions)[]);

/** Turns that fail are what is explored. */
const none = (): void => undefined;
const SILENT = { log: none, warn: none, error: none, debug: none, verbose: none, fatal: none };

/**
 * Runs a scenario again and again, each time in a new application and with another order of events: which message starts
 * next, which turn goes on, where the process dies. Turns give way to each other wherever the framework has control: before
 * the handler, at each send in it, after it, before and after the commit.
 *
 *     await explore({ seeds: 300, crash: 'around-commit', providers: [AccountActor] }, async (t) => {
 *       await t.actors.tellMany(deposits);
 *       await t.advance('1h');
 *       expect(t.state(AccountActor, 'a')).toEqual({ balance: 100 });
 *     });
 *
 * The order depends on the seed alone, as long as handlers do: one that uses `Math.random()`, the machine's clock, or waits
 * for something outside makes its own.
 *
 * @throws ExplorationError that names the seed, how to replay it, and what happened
 * @throws OptionError for a bad option
 */
export async function explore(
  options: ExploreOptions,
  scenario: (t: TestCallsheet) => unknown,
): Promise<void> {
  for (const seed of seedsOf(options)) {
    const direction = new ExploredDirection(seed, options.crash ?? false, options.crashes);
    const module = await buildModule(
      { ...options, seed },
      { direction, most: options.turns ?? 10_000 },
      (builder) => builder.setLogger(SILENT),
    );
    const t = TestCallsheet.from(module);
    try {
      await scenario(t);
    } catch (error) {
      throw new ExplorationError(seed, direction.trace, error);
    } finally {
      await t.close();
    }
  }
}

function seedsOf(options: ExploreOptions): number[] {
  for (const field of Object.keys(options)) {
    if (!FIELDS.has(field)) throw new OptionError(field, 'is not an option');
  }
  const replayed = process.env['CALLSHEET_SEED'];
  if (replayed !== undefined) return [whole(Number(replayed), 'CALLSHEET_SEED')];
  if (options.seed !== undefined) return [whole(options.seed, 'seed')];
  const from = whole(options.from ?? 1, 'from');
  const count = whole(options.seeds ?? 100, 'seeds');
  if (count === 0) throw new OptionError('seeds', 'must be at least 1');
  return Array.from({ length: count }, (_, n) => from + n);
}

function whole(value: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new OptionError(path, `must be a whole number, got ${value}`);
}
