import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { requireBinary } from '../support/available.js';
import { tempDir } from '../support/temp.js';

/** Compiles one of the libraries beside this file that are preloaded into a process. Resolves to what its environment needs. */
export function shim(name: 'power' | 'clock'): { LD_PRELOAD: string } {
  const library = path.join(tempDir(), `${name}.so`);
  const source = path.join(import.meta.dirname, `${name}.c`);
  const args = ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'];
  execFileSync(requireBinary('gcc'), args, { stdio: 'pipe' });
  return { LD_PRELOAD: library };
}
