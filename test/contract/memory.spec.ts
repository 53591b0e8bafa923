import { engineContract } from './suite.js';

engineContract({
  name: 'memory',
  url: async () => 'memory:',
  lacks: {
    shared: 'lives in one process',
    bullmq: 'has no BullMQ queues and keeps nothing',
  },
});
