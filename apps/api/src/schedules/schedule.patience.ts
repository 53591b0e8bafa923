import { ActorPatience } from '../actor.patience.js';

/** A schedule decides about itself. */
export const SCHEDULE_PATIENCE = new ActorPatience('runs schedules', 'a worker or an api');
