import { engineContract } from './suite.js';

engineContract({
  name: 'memory',
  url: async () => 'memory:',
  lacks: {
    shared: 'lives in one process',
    sql: 'speaks no SQL',
    bullmq: 'has no BullMQ queues and keeps nothing',
  },
});
