import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unaccounted, type Span } from '../../../test/support/schedule.oracle.js';
import { CATCH_UPS, definitionOf, HOUR, Stage } from '../../../test/support/schedule.stage.js';
import { OVERLAPS } from './policies.js';
import type { ScheduleRule } from './rule/index.js';
import type { Definition } from './schedule.state.js';

/** What a random life of a schedule is made of. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('advance'), by: fc.integer({ min: 1, max: 5 * HOUR }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('sleep', 'begin'),
      by: fc.integer({ min: 1, max: 48 * HOUR }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pause'),
      by: fc.option(fc.integer({ min: 1, max: 48 * HOUR })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put'), which: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end'), failed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trigger') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ring') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('near') }) },
) as fc.Arbitrary<{ do: string; by?: number | null; which?: number; failed?: boolean }>;

const RULES: ScheduleRule[] = [
  { every: '17m' },
  { every: '1h', window: '20m', jitter: '3m' },
  { cron: '*/30 * * * *', tz: 'Europe/Madrid' },
  { every: '5m', phase: '1m' },
];

describe('whatever happens', () => {
  it('every occurrence is accounted for exactly once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...OVERLAPS),
        fc.constantFrom(...CATCH_UPS),
        fc.array(step, { minLength: 3, maxLength: 40 }),
        (overlap, catchUp, steps) => {
          const policies = { overlap, catchUp, pauseAfter: 4 };
          const rules = RULES.map((rule) => definitionOf(rule, policies));
          const stage = new Stage();
          const spans: Span[] = [];
          const put = (which: number): void => {
            const definition = rules[which] as Definition;
            if (spans.at(-1)?.rule !== definition.rule) {
              spans.push({ rule: definition.rule, from: stage.now });
            }
            stage.turn((schedule) => schedule.put(definition));
          };
          put(0);
          for (const each of steps) {
            if (each.do === 'advance') stage.advance(stage.now + (each.by ?? 0));
            if (each.do === 'sleep') stage.sleep(stage.now + (each.by ?? 0));
            // Runs are done, but turns of the schedule are not.
            if (each.do === 'begin') stage.sleep(stage.now + (each.by ?? 0), true);
            if (each.do === 'ring') stage.turn();
            // What comes next finds a run that was sent ahead.
            if (each.do === 'near') {
              const timer = stage.state.timer ?? 0;
              if (timer > stage.now) stage.advance(timer);
            }
            if (each.do === 'pause') {
              const until = each.by ? stage.now + each.by : undefined;
              stage.turn((schedule) => schedule.pause('test', until));
            }
            if (each.do === 'resume') stage.turn((schedule) => schedule.resume());
            if (each.do === 'put') put(each.which ?? 0);
            if (each.do === 'trigger') stage.turn((schedule) => schedule.trigger(undefined));
            const [run] = stage.state.running;
            if (each.do === 'end' && run) {
              stage.end(run.id, run.stopped ? 'cancelled' : each.failed ? 'failed' : 'succeeded');
            }
          }
          stage.turn((schedule) => schedule.resume());
          stage.advance(stage.now + 3 * HOUR);
          for (let rounds = 0; rounds < 5; rounds++) stage.endAll();
          expect(stage.state.buffer).toEqual([]);
          expect(unaccounted(stage.rows, spans, stage.state.watermark)).toEqual([]);
          const runs = stage.rows.flatMap((row) =>
            row.kind === 'occurrence' && row.run !== undefined ? [row.run] : [],
          );
          const { ahead } = stage.state;
          expect([...runs, ...(ahead ? [ahead.id] : [])].sort()).toEqual([...stage.sent].sort());
        },
      ),
      { numRuns: Number(process.env['SCHEDULE_RUNS'] ?? 100) },
    );
  }, 600_000);
});
