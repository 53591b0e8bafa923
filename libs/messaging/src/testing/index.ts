// An application in a test
export { TestCallsheet } from './test.callsheet.js';
export { type TestCallsheetOptions, type TestTimeOptions } from './test.module.js';
export { type Probe } from './probe.js';
export { VirtualClock } from './virtual.clock.js';

// All orders of events
export { explore, type ExploreOptions } from './explore.js';
export { type CrashPlan } from './explored.direction.js';

// Errors
export { ExplorationError } from './exploration.error.js';
export { StalledError } from './stalled.error.js';
export { testTurn } from './test.turn.js';
