import { describe, expect, it } from 'vitest';
import { Child } from './child.js';
import { eventually } from './eventually.js';

const node = (script: string) => new Child(process.execPath, ['-e', script]);
const stubborn = `process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000)`;

describe('Child', () => {
  it('keeps what it wrote and how it ended', async () => {
    const child = node(`console.log('out'); console.error('err'); process.exitCode = 3`);
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect([child.stdout, child.stderr, child.running]).toEqual(['out\n', 'err\n', false]);
    expect(child.signal('SIGTERM')).toBe(false);
  });

  it('is killed when it does not end after the signal', async () => {
    const child = node(stubborn);
    await eventually(() => child.stdout.includes('up'));
    expect(await child.stop('SIGTERM', 100)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(child.stdout).toBe('up\nno\n');
  });

  it('reports a program that cannot be started', async () => {
    const child = new Child('/no/such/program', []);
    expect(await child.exited).toEqual({ code: null, signal: null });
    expect(child.output).toContain('ENOENT');
  });
});
