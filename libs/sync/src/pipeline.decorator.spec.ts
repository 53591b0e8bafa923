import { CallsheetModule } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Pipeline, Pipelines, SyncModule, type Page, type Pull, type Pulled } from './index.js';

class Both {
  pull(): Pulled {
    return { rows: [], cursor: null, more: false };
  }
  push(): void {}
}

const declaring = (options: object) => () => Pipeline(options)(class Wrong extends Both {});

describe('declaring a pipeline', () => {
  it.each([
    [{ pages: 3 }, '@Pipeline Wrong pages is not an option'],
    [{ name: 'Contacts' }, '@Pipeline Wrong name must match'],
    [{ name: 'sync' }, '@Pipeline Wrong name is that of the list of pipelines'],
    [{ page: 0 }, '@Pipeline Wrong page must be a whole number from 1 to 5000'],
    [{ page: 5_001 }, '@Pipeline Wrong page must be'],
    [{ schema: {} }, '@Pipeline Wrong schema must be a Standard Schema'],
    [{ every: '1m', cron: '* * * * *' }, '@Pipeline Wrong cron cannot be combined with every'],
    [{ tz: 'UTC' }, '@Pipeline Wrong tz needs cron'],
    [{ every: 'often' }, 'every'],
    [{ cron: '* *' }, 'cron'],
  ])('refuses %j', (options, message) => {
    expect(declaring(options)).toThrow(message);
  });

  it('refuses a class that has a method where its schedule needs one', () => {
    class Taken extends Both {
      onSchedule(): void {}
    }
    expect(() => Pipeline({ every: '1m' })(Taken)).toThrow('has a method of its own');
  });

  it('stops the start of one without a sink', async () => {
    class Half {
      pull(): Pulled {
        return { rows: [], cursor: null, more: false };
      }
    }
    Pipeline({ name: 'half' })(Half as unknown as typeof Both);
    const module = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url: 'memory:' }), SyncModule],
      providers: [Half],
    }).compile();
    await expect(module.init()).rejects.toThrow("pipeline 'half' to must be a part with push()");
    await module.close();
  });

  it('compiles only with a source and a sink, for rows of its schema', () => {
    const schema = z.object({ id: z.string() });
    const pull = (): Pulled => ({ rows: [], cursor: null, more: false });
    class NoSource {
      push(): void {}
    }
    class NoSink {
      pull = pull;
    }
    class BadRows extends NoSink {
      push(_: { id: number }[]): void {}
    }
    class Good extends NoSink {
      push(_: { id: string }[], __: Page): void {}
    }
    // @ts-expect-error neither pull nor from
    const one = () => Pipeline()(NoSource);
    // @ts-expect-error neither push nor to
    const two = () => Pipeline()(NoSink);
    // @ts-expect-error rows have a text, not a number
    const three = () => Pipeline({ schema })(BadRows);
    const good = () => Pipeline({ schema })(Good);
    expect([one, two, three, good]).toHaveLength(4);
  });
});

it('names a pipeline after its class, and tells a pull that answers nonsense', async () => {
  let answer: unknown;
  @Pipeline({ retry: { attempts: 1 } })
  class ContactsSync {
    pull(_: unknown, __: Pull): Pulled {
      return answer as Pulled;
    }
    push(): void {}
  }
  await using t = await TestCallsheet.create({ imports: [SyncModule], providers: [ContactsSync] });
  await t.drain();
  for (const [bad, problem] of [
    [undefined, 'must answer { rows, cursor, more }'],
    [{ rows: [], cursor: 1 }, 'must answer more: true or false'],
    [{ rows: [], more: true }, 'must answer a cursor'],
    [{ rows: Array(10_001).fill(1), cursor: 1, more: true }, 'more than 10000'],
  ]) {
    answer = bad;
    await t.get(Pipelines).run('contacts-sync');
    await t.drain();
    expect(await t.get(Pipelines).get('contacts-sync')).toMatchObject({
      state: 'failed',
      failure: { name: 'PullError', message: expect.stringContaining(problem as string) },
    });
  }
});
