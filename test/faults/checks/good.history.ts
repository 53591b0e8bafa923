import fc from 'fast-check';
import { EMPTY, NEW, tallied, type History, type Remains } from '../history.js';
import type { Entry, Event } from '../ledger.js';

/** What becomes of one execution. */
type Fate = 'done' | 'thrown' | 'rejected' | 'killed' | 'killed after its end';

/** The executions of one message: all but the last fail, and the last one ends it. */
const fates: fc.Arbitrary<Fate[]> = fc
  .tuple(
    fc.array(fc.constantFrom<Fate>('thrown', 'killed', 'killed after its end'), { maxLength: 3 }),
    fc.constantFrom<Fate>('done', 'done', 'done', 'rejected'),
  )
  .map(([failed, last]) => [...failed, last]);

const durations = fc.infiniteStream(fc.integer({ min: 2, max: 50_000 }));

/**
 * What a correct system may do: keys with messages, each tried until it ends, by processes of which some are killed. Keys go
 * on at the same time; within a key one thing happens after another.
 */
export const goodHistory: fc.Arbitrary<History> = fc
  .tuple(
    fc.array(fc.array(fates, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
    durations,
  )
  .map(([keys, times]) => {
    const remains: Remains = structuredClone(EMPTY);
    const events = keys.flatMap((messages, index) =>
      new KeyStory(`k${index}`, index * 1_000, times, remains).tell(messages),
    );
    return { events: events.sort((a, b) => a.t - b.t), remains };
  });

/** The story of one key. */
class KeyStory {
  private readonly events: Event[] = [];
  private t = 0;
  private runs = 0;

  constructor(
    private readonly key: string,
    /** Its processes have pids from here on: one that is killed has one of its own. */
    private pid: number,
    private readonly times: Iterator<number>,
    private readonly remains: Remains,
  ) {}

  tell(messages: readonly Fate[][]): Event[] {
    messages.forEach((_, n) => {
      this.write({ kind: 'intent', id: this.id(n), key: this.key, n, batch: this.key });
      this.write({ kind: 'acked', id: this.id(n) });
    });
    messages.forEach((each, n) => each.forEach((fate) => this.execute(n, fate)));
    return this.events;
  }

  private execute(n: number, fate: Fate): void {
    const { key, remains } = this;
    const [id, run] = [this.id(n), `${key} ${++this.runs}`];
    this.write({ kind: 'start', id, run, key, n, due: 0 });
    if (fate === 'thrown' || fate === 'rejected') this.write({ kind: 'end', id, run, how: fate });
    if (fate === 'done' || fate === 'killed after its end')
      this.write({ kind: 'end', id, run, how: 'returned' });
    if (fate === 'rejected') remains.dead.push(id);
    if (fate === 'killed' || fate === 'killed after its end') {
      const victim = this.pid;
      this.write({ kind: 'fault', name: 'kill -9', until: this.t + 1, victim });
      this.pid++;
    }
    if (fate === 'done') {
      remains.commits.push({ of: id, run, key, n });
      remains.states[key] = tallied(remains.states[key] ?? NEW, n);
      remains.timers[key] = n;
    }
  }

  private write(entry: Entry): void {
    this.t += 1 + (this.times.next().value as number);
    this.events.push({ t: this.t, at: this.t / 1_000, pid: this.pid, ...entry });
  }

  private id(n: number): string {
    return `${this.key}-${n}`;
  }
}
