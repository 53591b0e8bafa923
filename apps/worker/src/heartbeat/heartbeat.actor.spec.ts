import { testRun } from '@callsheet/scheduler';
import { Logger } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { HeartbeatActor } from './heartbeat.actor.js';

afterEach(() => {
  vi.useRealTimers();
  Logger.overrideLogger(true);
});

it('a beat logs its nominal time and how late it came', () => {
  const lines: unknown[] = [];
  const log = (line: unknown): number => lines.push(line);
  Logger.overrideLogger({ log, error: log, warn: log, debug: log });
  vi.useFakeTimers({ now: new Date('2026-01-02T03:04:10.025Z') });
  new HeartbeatActor().beat(testRun({ nominal: new Date('2026-01-02T03:04:10.000Z') }));
  expect(lines).toEqual(['beat of 2026-01-02T03:04:10.000Z, 25 ms late']);
});
