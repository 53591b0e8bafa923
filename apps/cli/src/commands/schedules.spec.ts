import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { stageForFile } from '../../test/stage.js';

const { run } = stageForFile();

describe('schedules', () => {
  it('are made, shown, steered', async () => {
    const made = await run([
      ...['schedules', 'create', 'tea', '--type', 'greeter.greet', '--cron', '0 16 * * *'],
      ...['--data', '{"name":"Ada"}'],
      ...['--tz', 'Europe/Madrid', '--tag', 'drinks'],
    ]);
    expect(made.out).toMatch(/^when +At 16:00 every day \(Europe\/Madrid\)\.$/m);
    expect(made.out.match(/ 16:00:00 \+0/g)).toHaveLength(3);
    expect((await run('schedules list --tag drinks --json')).out).toContain('"id":"tea"');
    expect((await run('schedules next tea --count 2 --json')).out.split('\n')).toHaveLength(3);
    expect((await run('schedules pause tea')).err).toContain("say why: --reason 'too loud'");
    expect((await run(['schedules', 'pause', 'tea', '--reason', 'holidays'])).out).toBe(
      'tea is paused: holidays\n',
    );
    expect((await run('schedules trigger tea')).out).toMatch(/state +started/);
    expect((await run('schedules resume tea')).out).toMatch(/^tea goes on, next at /);
    const range = 'backfill tea --from 2026-01-01T00:00:00Z --to 2026-01-04T00:00:00Z';
    expect((await run(`schedules ${range} --dry-run --json`)).out).toBe(
      '{"id":"tea","state":"counted","count":3}\n',
    );
    const begun = await run(`schedules ${range}`, { columns: 80, input: 'y\n\n' });
    expect(begun.err).toContain('backfill tea with 3 runs. Do it? [y/N]');
    expect(begun.out).toContain('3 runs under way');
    await eventually(async () => (await run('schedules runs tea')).out.includes('\tbackfilled\t'));
    expect((await run('schedules delete tea --yes')).out).toBe('tea is deleted\n');
    expect((await run('schedules show tea')).code).toBe(3);
  });

  it('are changed and deleted only at the revision that was seen, if so asked', async () => {
    const create = ['schedules', 'create', 'coffee', '--type', 'shelf.keep'];
    await run([...create, '--every', '1h']);
    const revision = async () => {
      const { revision: now } = JSON.parse((await run('schedules show coffee --json')).out) as {
        revision: number;
      };
      return String(now);
    };
    const first = await revision();
    const change = [...create, '--every', '2h', '--replace', '--revision', first];
    expect((await run(change)).out).toMatch(/^outcome +changed$/m);
    const late = await run(change);
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('look at it')]);
    expect((await run(`schedules delete coffee --yes --revision ${first}`)).code).toBe(1);
    const { out } = await run(`schedules delete coffee --yes --revision ${await revision()}`);
    expect(out).toBe('coffee is deleted\n');
    const alone = await run([...create, '--every', '2h', '--revision', first]);
    expect(alone.err).toContain('--revision is for --replace');
  });

  it('say what is missing, and what is easily overlooked', async () => {
    expect((await run('schedules create x --type shelf.keep')).err).toContain('when does it run?');
    expect((await run('schedules create x --cron @daily')).err).toContain('--type email.send');
    const { err } = await run([
      ...['schedules', 'create', 'x', '--type', 'shelf.keep', '--dry-run'],
      ...['--cron', '30 2 * * *', '--tz', 'Europe/Madrid'],
    ]);
    expect(err).toContain('careful: ');
  });
});
