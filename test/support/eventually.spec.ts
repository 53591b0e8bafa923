import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('repeats until the check returns something truthy', async () => {
    let checks = 0;
    const value = await eventually(() => (checks += 1) > 3 && checks, { interval: 1 });
    expect(value).toBe(4);
  });

  it('repeats until assertions hold', async () => {
    let checks = 0;
    await eventually(
      () => {
        checks += 1;
        expect(checks).toBeGreaterThan(3);
      },
      { interval: 1 },
    );
    expect(checks).toBe(4);
  });

  it('gives up in bounded time with the last error', async () => {
    const start = performance.now();
    let checks = 0;
    const failing = eventually(
      () => {
        checks += 1;
        throw new Error(`check ${checks}`);
      },
      { timeout: 100, interval: 10 },
    );
    const error: unknown = await failing.catch((cause: unknown) => cause);
    expect(error).toEqual(new Error(`check ${checks}`));
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('gives up on a check that hangs', async () => {
    const start = performance.now();
    await expect(
      eventually(() => new Promise<boolean>(() => undefined), { timeout: 50 }),
    ).rejects.toThrow('did not settle in time');
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('does not take an absent value for a passed assertion', async () => {
    const found: string[] = [];
    // @ts-expect-error find() may return undefined, which would pass at once
    await eventually(() => found.find((text) => text === 'a'), { timeout: 10 });
    await expect(
      eventually(() => found.find((text) => text === 'a') ?? null, { timeout: 10 }),
    ).rejects.toThrow('the check returned null');
  });
});
