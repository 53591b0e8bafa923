import { afterAll } from 'vitest';
import { cleanUp } from './cleanup.js';

// Vitest runs this file before each test file, also where files share their modules: so the hook belongs to that file. Hooks run
// last first: this one when all others are done.
afterAll(cleanUp, 60_000);
