import { CallsheetError } from '../messaging.errors.js';

/** Draining does not come to an end. */
export class StalledError extends CallsheetError {
  readonly code = 'stalled';

  /** Turn after turn, without time passing. */
  static endless(most: number, turns: ReadonlyMap<string, number>): StalledError {
    const busiest = [...turns].sort(([, a], [, b]) => b - a).slice(0, 5);
    const list = busiest.map(([type, count]) => `${type} (${count})`).join(', ');
    return new StalledError(
      `more than ${most} turns without time passing: messages send each other in circles. Busiest: ${list}`,
    );
  }

  /** Turns that neither end nor wait for virtual time. */
  static stuck(types: readonly string[], ms: number): StalledError {
    return new StalledError(
      `these turns have done nothing for ${ms} ms and wait for no timer: ${types.join(', ')}. Do they wait for something that the test must do first?`,
    );
  }
}
