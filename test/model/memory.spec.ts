import { programmingModel } from './suite.js';

programmingModel({ name: 'memory', url: async () => 'memory:', alone: 'lives in one process' });
