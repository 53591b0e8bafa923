import type { Shown } from '../api/client.js';
import { span } from '../parts/time.js';

type Message = Shown['Message'];

/** Something that happened to a message, or is to. */
interface Step {
  /** ISO 8601; absent when nobody has noted it. */
  at?: string;
  what: string;
  /** How long it took, or was waited for. */
  lasted?: string;
  tone?: 'good' | 'bad' | 'warn' | 'busy';
  error?: Message['attempts'][number]['error'];
}

const ENDS: Readonly<Partial<Record<Message['state'], Step['tone']>>> = {
  done: 'good',
  dead: 'bad',
  cancelled: 'warn',
};

/** The life of a message as steps, oldest first: sent, due, each attempt with what was waited for it, the end. */
export function timelineOf(message: Message): Step[] {
  const { sentAt, dueAt, startedAt, finishedAt, state, attempts, reason, redrives } = message;
  const { nextAttemptAt, attemptsLeft } = message;
  const steps: Step[] = [{ at: sentAt, what: 'Sent' }];
  if (dueAt && dueAt > sentAt) {
    steps.push({ at: dueAt, what: 'Due', lasted: `after ${between(sentAt, dueAt)}` });
  }
  let last = dueAt && dueAt > sentAt ? dueAt : sentAt;
  for (const { attempt, startedAt: from, finishedAt: to, error } of attempts) {
    const lasted = `waited ${between(last, from)}, ran ${between(from, to)}`;
    steps.push({ at: from, what: `Attempt ${attempt} failed`, lasted, tone: 'bad', error });
    last = to;
  }
  // The attempt that has not failed: the one in work, or that which ended well.
  if (startedAt && startedAt >= last && (state === 'active' || state === 'done')) {
    const what = `Attempt ${attempts.length + 1} started`;
    steps.push({ at: startedAt, what, lasted: `waited ${between(last, startedAt)}`, tone: 'busy' });
    last = startedAt;
  }
  if (redrives > 0) {
    steps.push({ what: redrives === 1 ? 'Redriven once' : `Redriven ${redrives} times` });
  }
  if (nextAttemptAt && attempts.length > 0) {
    const lasted = attemptsLeft && `${attemptsLeft} left`;
    steps.push({ at: nextAttemptAt, what: 'Next attempt', ...(lasted && { lasted }) });
  }
  const tone = ENDS[state];
  if (finishedAt && tone) {
    const what = state === 'dead' && reason ? `Dead: ${reason}` : said(state);
    const isRun = last === startedAt;
    steps.push({
      at: finishedAt,
      what,
      tone,
      ...(isRun && { lasted: `ran ${between(last, finishedAt)}` }),
    });
  }
  return steps;
}

function between(from: string, to: string): string {
  return span(Math.max(0, Date.parse(to) - Date.parse(from)));
}

function said(state: string): string {
  return state.charAt(0).toUpperCase() + state.slice(1);
}
