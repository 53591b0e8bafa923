import { beforeEach, describe, expect, it } from 'vitest';
import { ActorValve } from './actor.valve.js';
import type { Consumer } from './engine.js';

let calls: string[];
let valve: ActorValve;
/** What the next beginning comes to. */
let begin: () => Promise<Consumer>;

const consumer: Consumer = {
  limit: (concurrency) => void calls.push(`limit ${concurrency}`),
  stop: async (grace) => void calls.push(`stop ${grace}`),
};

beforeEach(() => {
  calls = [];
  begin = async () => {
    calls.push('begin');
    return consumer;
  };
  valve = new ActorValve(20, () => begin());
});

describe('a valve', () => {
  it('begins when it is opened first, and then lets through as many as it is told', async () => {
    valve.shut();
    valve.limit(5);
    expect(calls).toEqual([]);
    valve.limit(20);
    await valve.open();
    await valve.open();
    expect(calls).toEqual(['begin']);
    valve.limit(1);
    valve.shut();
    valve.shut();
    await valve.open();
    expect(calls).toEqual(['begin', 'limit 1', 'limit 0', 'limit 1']);
  });

  it('that was told something before it began begins with that', async () => {
    valve.limit(3);
    await valve.open();
    expect(calls).toEqual(['begin', 'limit 3']);
  });

  it('stays shut, whatever it is told meanwhile, and goes by it afterwards', async () => {
    await valve.open();
    valve.shut();
    valve.limit(0);
    valve.limit(1);
    expect(calls).toEqual(['begin', 'limit 0']);
    await valve.open();
    expect(calls).toEqual(['begin', 'limit 0', 'limit 1']);
  });

  it('opens later when it could not begin', async () => {
    const works = begin;
    begin = () => Promise.reject(new Error('no store'));
    await expect(valve.open()).rejects.toThrow('no store');
    begin = works;
    await valve.open();
    expect(calls).toEqual(['begin']);
  });

  it('that stops while it begins stops what began, and sets nothing going again', async () => {
    let began = (_: Consumer): void => undefined;
    begin = () => new Promise((resolve) => (began = resolve));
    const opening = valve.open();
    const stopping = valve.stop(7);
    valve.limit(3);
    began(consumer);
    await Promise.all([opening, stopping]);
    valve.shut();
    await valve.open();
    expect(calls).toEqual(['stop 7']);
  });

  it('that never began has nothing to stop', async () => {
    await valve.stop(1);
    await valve.open();
    expect(calls).toEqual([]);
  });
});
