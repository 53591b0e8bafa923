import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findBinary, missing, requireBinary } from './available.js';
import { tempDir } from './temp.js';

describe('missing', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('says what to install where a program is missing', () => {
    vi.stubEnv('PATH', tempDir());
    vi.stubEnv('CI', '');
    expect(missing('redis-server')).toBe(
      'redis-server is not installed; apt-get install redis-server',
    );
    expect(() => requireBinary('redis-server')).toThrow('is not installed');
  });

  it('throws in CI, where nothing may be skipped', () => {
    vi.stubEnv('PATH', tempDir());
    vi.stubEnv('CI', 'true');
    expect(() => missing('redis-server')).toThrow('redis-server is not installed');
  });

  it('finds an executable on the PATH, and nothing that cannot be executed', () => {
    const dir = tempDir();
    vi.stubEnv('PATH', dir);
    writeFileSync(path.join(dir, 'redis-server'), '', { mode: 0o644 });
    expect(findBinary('redis-server')).toBeUndefined();
    chmodSync(path.join(dir, 'redis-server'), 0o755);
    expect(findBinary('redis-server')).toBe(path.join(dir, 'redis-server'));
    expect(missing('redis-server')).toBeUndefined();
  });
});
