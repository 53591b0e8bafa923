import { createRequire } from 'node:module';
import type * as Cel from '@bufbuild/cel';

const require = createRequire(import.meta.url);
let library: typeof Cel | undefined;

/** The library, loaded at the first filter: that takes 0.2 s of CPU, and many processes have no filter. */
export function cel(): typeof Cel {
  return (library ??= require('@bufbuild/cel') as typeof Cel);
}
