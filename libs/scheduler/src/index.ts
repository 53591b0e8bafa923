// Declaring
export { Cron, type CronOptions } from './cron.decorator.js';

// Setting up and looking inside
export { SchedulerModule } from './scheduler.module.js';
export { Schedules } from './schedules.js';
