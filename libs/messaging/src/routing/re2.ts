import { createRequire } from 'node:module';
import type * as Re2 from '@bufbuild/re2';

const require = createRequire(import.meta.url);
let library: typeof Re2 | undefined;

/** The library, loaded at the first pattern: it is 20 modules, and many processes have no pattern. */
export function re2(): typeof Re2 {
  return (library ??= require('@bufbuild/re2') as typeof Re2);
}
