import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Actors } from '@callsheet/messaging';
import { Schedules } from '@callsheet/scheduler';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../support/app.process.js';
import { eventually } from '../support/eventually.js';
import type * as Greeting from './greeting.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const example = readFileSync(join(ROOT, 'test/examples/greeting.ts'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the README', () => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.trim());

  it('shows code that is in the executed example, word for word', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const block of blocks) expect(example).toContain(block);
  });

  it('names only commands that exist', () => {
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name = '']) => name);
    const own = named.filter((name) => !['ci'].includes(name));
    expect(own).toEqual(expect.arrayContaining(['start', 'test']));
    for (const name of own) expect(Object.keys(scripts)).toContain(name);
  });

  it('links only to files that exist', () => {
    for (const [, link = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(() => readFileSync(join(ROOT, link)), link).not.toThrow(/ENOENT/);
    }
  });
});

describe('the example of the README', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('greets, once for one id, and has its schedule', async () => {
    vi.stubEnv('CALLSHEET_URL', 'memory:');
    const { AppModule, Guests, Reception }: typeof Greeting = await import('./greeting.js');
    const app = await Test.createTestingModule({
      imports: [AppModule],
      providers: [Reception],
    }).compile();
    app.useLogger(false);
    await app.init();
    try {
      const reception = app.get(Reception);
      const first = await reception.arrive('Ada');
      expect(first).toEqual({ id: 'welcome-Ada', state: 'delayed' });
      expect(await reception.arrive('Ada')).toEqual(first);
      await reception.arrive('Grace');
      const guests = app.get(Guests);
      await eventually(() => guests.welcomed.length === 2);
      expect(guests.welcomed).toEqual(['Ada', 'Grace']);
      const [schedule] = await app.get(Schedules, { strict: false }).list();
      expect(schedule).toMatchObject({
        id: 'greeter.report',
        rule: { cron: ['0 0 7 * * 1-5'], tz: 'Europe/Madrid' },
      });
      expect(app.get(Actors, { strict: false })).toBeDefined();
    } finally {
      await app.close();
    }
  });
});
