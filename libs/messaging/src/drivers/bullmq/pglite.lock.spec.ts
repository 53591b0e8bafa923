import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, it } from 'vitest';
import { Child } from '../../../../../test/support/child.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { tempDir } from '../../../../../test/support/temp.js';
import { StoreError } from '../../messaging.errors.js';
import { lockFolder } from './pglite.lock.js';

const releases: (() => void)[] = [];
afterEach(() => releases.splice(0).forEach((release) => release()));

function lock(folder: string): () => void {
  const release = lockFolder(folder);
  releases.push(release);
  return release;
}

function inUse(folder: string, pid: number | string): StoreError {
  return new StoreError(
    `the folder ${folder} is in use by process ${pid}; an embedded store has one process only, use redis:// or postgres:// for more`,
  );
}

/** A folder with a lock as another process would leave it. */
function lockedBy(owner: unknown): string {
  const folder = tempDir();
  writeFileSync(
    path.join(folder, 'lock'),
    typeof owner === 'string' ? owner : JSON.stringify(owner),
  );
  return folder;
}

const ownerOf = (folder: string): unknown =>
  (JSON.parse(readFileSync(path.join(folder, 'lock'), 'utf8')) as { pid: unknown }).pid;

function sleeper(): Child & { pid: number } {
  return new Child(process.execPath, ['-e', 'setInterval(() => {}, 1e9)']) as Child & {
    pid: number;
  };
}

/** When a process started, as the kernel counts; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    );
  } catch {
    return '';
  }
}

describe('lockFolder', () => {
  it('takes a folder, making it if need be, and gives it back', () => {
    const folder = path.join(tempDir(), 'new', 'deeper');
    const release = lock(folder);
    expect(ownerOf(folder)).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
    release();
    expect(readdirSync(folder)).toEqual([]);
    lock(folder);
  });

  it('refuses the same process a second time, whatever it calls the folder', () => {
    const parent = tempDir();
    const folder = path.join(parent, 'data');
    lock(folder);
    symlinkSync(folder, path.join(parent, 'link'));
    const names = [
      folder,
      `${folder}/`,
      path.relative(process.cwd(), folder),
      `${parent}/other/../data`,
      path.join(parent, 'link'),
    ];
    for (const name of names) expect(() => lock(name)).toThrow(inUse(name, process.pid));
    expect(ownerOf(folder)).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('refuses a folder of a living process, and takes it when that is gone', async () => {
    const other = sleeper();
    const folder = lockedBy({ pid: other.pid, started: startOf(other.pid) });
    expect(() => lock(folder)).toThrow(inUse(folder, other.pid));
    expect(ownerOf(folder)).toBe(other.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
    await other.kill();
    lock(folder);
    expect(ownerOf(folder)).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('refuses a living process whose start is not known', () => {
    const folder = lockedBy({ pid: sleeper().pid, started: '' });
    expect(() => lock(folder)).toThrow(StoreError);
  });

  it.skipIf(startOf(process.pid) === '')(
    'takes a folder whose pid now belongs to another process (needs /proc)',
    () => {
      const folder = lockedBy({ pid: sleeper().pid, started: '1' });
      lock(folder);
      expect(ownerOf(folder)).toBe(process.pid);
    },
  );

  it('takes a lock of its own pid that it does not hold: a container that restarted', () => {
    const folder = lockedBy({ pid: process.pid, started: startOf(process.pid) });
    lock(folder);
    expect(() => lock(folder)).toThrow(inUse(folder, process.pid));
  });

  it.each(['', '{', 'null', '[]', '{}', '{"pid":"x"}', '\0\0\0'])(
    'takes a lock that a power cut left as %j',
    (text) => {
      const folder = lockedBy(text);
      lock(folder);
      expect(ownerOf(folder)).toBe(process.pid);
    },
  );

  it('takes over after a process that died while it was taking over', () => {
    const gone = { pid: 2 ** 30, started: '1' };
    const folder = lockedBy({ ...gone, token: 'a' });
    writeFileSync(path.join(folder, 'lock.a'), JSON.stringify({ ...gone, token: 'b' }));
    lock(folder);
    expect(ownerOf(folder)).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('leaves a folder to a living process that is taking it over', () => {
    const other = sleeper();
    const folder = lockedBy({ pid: 2 ** 30, started: '1', token: 'a' });
    const claim = { pid: other.pid, started: startOf(other.pid), token: 'b' };
    writeFileSync(path.join(folder, 'lock.a'), JSON.stringify(claim));
    expect(() => lock(folder)).toThrow(StoreError);
    expect(readdirSync(folder)).toEqual(['lock', 'lock.a']);
  });

  it('lets exactly one of many that start together have a folder, new or left behind', async () => {
    const [starters, rounds] = [4, 200];
    const root = tempDir();
    for (let round = 0; round < rounds; round += 1) {
      mkdirSync(path.join(root, `${round}`));
      const owner = { pid: 2 ** 30, started: '1' };
      if (round % 3 > 0) writeFileSync(path.join(root, `${round}`, 'lock'), JSON.stringify(owner));
    }
    const script = path.join(compiled(), 'starter.js');
    const begin = `${Date.now() + 1_500}`;
    const children = Array.from(
      { length: starters },
      () => new Child(process.execPath, [script, root, `${rounds}`, begin]),
    );
    // They stay until killed: a winner that ended would give its folders to the others.
    await eventually(() => children.every((child) => child.stdout.includes('end')));
    const won = children.flatMap((child) => child.stdout.match(/\d+/g) ?? []).map(Number);
    expect(won.sort((a, b) => a - b)).toEqual(Array.from({ length: rounds }, (_, n) => n));
    await Promise.all(children.map((child) => child.kill()));
  }, 20_000);
});

/** The lock as JavaScript, so that processes of their own can run it; and a script that takes many folders in turn. */
function compiled(): string {
  const out = tempDir();
  const source = path.resolve(import.meta.dirname, '../..');
  mkdirSync(path.join(out, 'drivers/bullmq'), { recursive: true });
  for (const file of ['messaging.errors', 'drivers/bullmq/pglite.lock']) {
    const { outputText } = ts.transpileModule(
      readFileSync(path.join(source, `${file}.ts`), 'utf8'),
      { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } },
    );
    writeFileSync(path.join(out, `${file}.js`), outputText);
  }
  writeFileSync(path.join(out, 'package.json'), '{"type":"module"}');
  writeFileSync(
    path.join(out, 'starter.js'),
    `import { lockFolder } from './drivers/bullmq/pglite.lock.js';
     const [root, rounds, begin] = process.argv.slice(2);
     let won = '';
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(begin) - Date.now());
     for (let round = 0; round < Number(rounds); round++) {
       // All at the same moment: waiting for it by asking the clock, not by sleeping.
       while (Date.now() < Number(begin) + round * 4);
       try { lockFolder(root + '/' + round); won += round + ' '; } catch (error) {
         if (error.name !== 'StoreError') won += error.stack;
       }
     }
     console.log(won + 'end');
     setInterval(() => {}, 1e9);`,
  );
  return out;
}
