import { OptionError } from '@callsheet/messaging';

/** Options of `SchedulerModule.forRoot`. */
export interface SchedulerOptions {
  /**
   * When the schedules that the code declares are stored: 'start', with every start of a process; 'manually', only by
   * `Deployments.apply()` or `callsheet schedules apply`. Default 'start'.
   */
  apply?: 'start' | 'manually';
}

export type ResolvedSchedulerOptions = Required<SchedulerOptions>;

/** Injection token of the options. */
export const SCHEDULER_OPTIONS = Symbol('callsheet:scheduler-options');

/** @throws OptionError */
export function resolveSchedulerOptions(options: SchedulerOptions = {}): ResolvedSchedulerOptions {
  for (const option of Object.keys(options)) {
    if (option !== 'apply') {
      throw new OptionError(`SchedulerModule ${option}`, 'is not an option');
    }
  }
  const { apply = 'start' } = options;
  if (apply !== 'start' && apply !== 'manually') {
    throw new OptionError('SchedulerModule apply', "must be 'start' or 'manually'");
  }
  return { apply };
}
