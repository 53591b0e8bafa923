import { declareHandler, OptionError, type Turn } from '@callsheet/messaging';
import { CronExpressionParser } from 'cron-parser';

/** Options of {@link Cron}. */
export interface CronOptions {
  /** IANA time zone in which the expression is read, `Europe/Madrid` say. Default 'UTC'. */
  tz?: string;
}

/** A schedule as declared on a method. */
export interface CronDeclaration {
  readonly method: string;
  readonly cron: string;
  readonly tz: string;
}

const SCHEDULES = Symbol('callsheet:schedules');

type ScheduledMethod = (occurrence: Record<string, never>, turn: Turn) => void | Promise<void>;

/**
 * Runs a method of an actor on a cron schedule, once per occurrence however many processes run. `turn.occurrence` is the
 * nominal time; a failing run is retried by the actor's policy.
 *
 * @param cron five fields (minute first) or six (second first)
 * @throws OptionError at declaration for an expression or zone that cannot be read, or an unknown option
 */
export function Cron(cron: string, options: CronOptions = {}) {
  const tz = options.tz ?? 'UTC';
  return <F extends ScheduledMethod>(
    target: object,
    method: string,
    _descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    for (const option of Object.keys(options)) {
      if (option !== 'tz') throw new OptionError(`@Cron ${method} ${option}`, 'is not an option');
    }
    check(cron, tz, method);
    const declaration: CronDeclaration = { method, cron, tz };
    Reflect.defineMetadata(
      SCHEDULES,
      [...schedulesOf(target.constructor), declaration],
      target.constructor,
    );
    declareHandler(target, { kind: 'occurrence', handles: { verb: method }, method });
  };
}

/** The schedules declared on a class. */
export function schedulesOf(target: object): readonly CronDeclaration[] {
  return (Reflect.getMetadata(SCHEDULES, target) as CronDeclaration[] | undefined) ?? [];
}

function check(cron: string, tz: string, method: string): void {
  const fields = typeof cron === 'string' ? cron.trim().split(/\s+/).length : 0;
  if (fields < 5 || fields > 6) {
    throw new OptionError(`@Cron ${method}`, `needs five or six fields, got '${cron}'`);
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: tz });
  } catch {
    throw new OptionError(`@Cron ${method} tz`, `is not a known time zone: '${tz}'`);
  }
  try {
    CronExpressionParser.parse(cron, { tz }).next();
  } catch (error) {
    throw new OptionError(`@Cron ${method}`, `cannot be read: ${(error as Error).message}`);
  }
}
