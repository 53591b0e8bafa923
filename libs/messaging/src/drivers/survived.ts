import type { Trial } from '../engine.js';

/**
 * The trial of a message whose turn ended with its process alive: no crash afterwards is its own. One that had ended with a crash
 * before stays as it is.
 *
 * @param crashes of the delivery that ended
 */
export function survived(trial: Trial | undefined, crashes: number): Trial | undefined {
  if (!trial || trial.hasSurvived || trial.crashes < crashes) return trial;
  return { ...trial, hasSurvived: true };
}
